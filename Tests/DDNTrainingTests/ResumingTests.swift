import DDN
import DDNData
import DDNFiles
import Foundation
import Testing
import Torch

@testable import DDNTraining

@Suite("Resuming a run folder") struct ResumingTests {
  private static let options = SmallTraining.options(images: 256)

  /// The folder of a finished run.
  private static func finished(in scratch: Scratch) throws -> RunFolder {
    let run = try SmallTraining.run(options, in: scratch.url)
    try run.run()
    return run.folder
  }

  private static func resume(_ folder: RunFolder) throws -> (run: TrainingRun, start: TrainingRun.Start) {
    let run = try TrainingRun(options, data: SmallTraining.data(), folder: folder, device: .cpu)
    return (run, try run.resume())
  }

  @Test("a dense network is fitted once, and a stopped run ends with the bits of an uninterrupted one")
  func dense() throws {
    var options = SmallTraining.options(images: 256)
    options.network = NetworkConfiguration(
      DenseNetwork.Configuration(
        imageShape: [1, 32, 32], components: 12, nodes: 4, levels: 2, width: 8, nodeFeatures: 4, rank: 6))
    options.augmentation = 1
    options.beams = 3
    let scratch = try Scratch()
    func start(_ folder: RunFolder) throws -> TrainingRun {
      let run = try TrainingRun(options, data: SmallTraining.data(), folder: folder, device: .cpu)
      _ = try run.resume()
      return run
    }
    let whole = try start(.create(in: scratch.url, name: "whole", options: options))
    let fitted = try whole.trainer.network.state()["principal.components"]!.bytes()
    #expect(try Tensor.zeros([12, 1024]).bytes() != fitted)
    try whole.run()
    let folder = try RunFolder.create(in: scratch.url, name: "stopped", options: options)
    func stop() throws {
      let run = try start(folder)
      #expect(throws: TrainingError.self) { try run.run(shouldStop: { run.trainer.images >= 128 }) }
    }
    try stop()
    let resumed = try start(folder)
    #expect(resumed.trainer.images == 128)
    try resumed.run()
    #expect(try TrainerState(resumed.trainer) == TrainerState(whole.trainer))
    #expect(try resumed.trainer.network.state()["principal.components"]!.bytes() == fitted)
  }

  @Test("lost states are an error that changes nothing", arguments: [true, false])
  func noState(hasModel: Bool) throws {
    let scratch = try Scratch()
    let folder = try Self.finished(in: scratch)
    for state in try Checkpoint.all(in: folder.url) { try Folder.remove(state) }
    if !hasModel { try FileManager.default.removeItem(at: folder.model) }
    let before = try Folder.names(in: folder.url)
    let statistics = try Data(contentsOf: folder.statistics)
    let error = try #require(throws: FileError.self) { _ = try Self.resume(folder) }
    #expect(error.kind == .missing && error.path == folder.url.path)
    #expect(error.remedy.contains("--transfer \(folder.model.path)") == hasModel, "\(error)")
    #expect(try Folder.names(in: folder.url) == before)
    #expect(try Data(contentsOf: folder.statistics) == statistics)
  }

  @Test("a run stopped before its first save starts again and reports it") func beforeTheFirstSave() throws {
    let scratch = try Scratch()
    let folder = try Self.finished(in: scratch)
    for state in try Checkpoint.all(in: folder.url) { try Folder.remove(state) }
    try FileManager.default.removeItem(at: folder.model)
    try folder.truncateStatistics(after: 64)
    let (run, start) = try Self.resume(folder)
    #expect(start.images == 0 && start.isRestart)
    #expect(try folder.lines() == [] && run.trainer.images == 0)
  }

  @Test(
    "a damaged newest state is renamed, the previous one is used, and the result is the same",
    arguments: ["model.safetensors", "training.safetensors", ""])
  func damaged(file: String) throws {
    let scratch = try Scratch()
    let folder = try Self.finished(in: scratch)
    let quiet = try Self.resume(folder.copied()).run
    let newest = try #require(try Checkpoint.all(in: folder.url).last)
    if file.isEmpty {
      try Folder.remove(newest)
      try Folder.create(newest)
    } else {
      let url = newest.appending(path: file)
      try Data(contentsOf: url).dropLast(500).write(to: url)
    }
    let model = try Data(contentsOf: folder.model)
    let (run, start) = try Self.resume(folder)
    #expect(start.images == 128 && !start.isRestart)
    #expect(start.damaged.count == 1 && start.damaged[0].path.hasPrefix(newest.path))
    #expect(try Folder.names(in: folder.url).contains("damaged-state-0000000256"))
    // The newest model is newer than the state; it stays until it is written again.
    #expect(try Data(contentsOf: folder.model) == model)
    try run.run()
    #expect(try TrainerState(run.trainer).differences(from: TrainerState(quiet.trainer)) == [])
    #expect(try Checkpoint.all(in: folder.url).map(\.lastPathComponent) == ["state-0000000128", "state-0000000256"])
    #expect(try folder.lines() == [64, 128, 192, 256])
  }

  @Test("only damaged states are an error that changes nothing") func allDamaged() throws {
    let scratch = try Scratch()
    let folder = try Self.finished(in: scratch)
    for state in try Checkpoint.all(in: folder.url) {
      try FileManager.default.removeItem(at: state.appending(path: "training.safetensors"))
    }
    let before = try Folder.names(in: folder.url)
    let error = try #require(throws: FileError.self) { _ = try Self.resume(folder) }
    #expect(error.kind == .invalid && error.description.contains("all older states are damaged, too"))
    #expect(try Folder.names(in: folder.url) == before)
  }

  @Test("a state of another training is not a damaged one") func otherTraining() throws {
    let scratch = try Scratch()
    let folder = try Self.finished(in: scratch)
    let other = try TrainingRun(
      SmallTraining.options(images: 256, seed: 2), data: SmallTraining.data(), folder: folder, device: .cpu)
    let error = try #require(throws: FileError.self) { _ = try other.resume() }
    #expect(error.problem.contains("another seed"))
    #expect(try Checkpoint.all(in: folder.url).count == 2)
  }

  @Test("errors for its parent and its states suggest it") func neighbours() throws {
    let scratch = try Scratch()
    let folder = try RunFolder.create(in: scratch.url, name: "x", options: Self.options)
    let state = Checkpoint.url(in: folder.url, images: 64)
    try Folder.create(state)
    for url in [scratch.url, state] {
      let error = try #require(throws: FileError.self) { try RunFolder.open(url) }
      #expect(error.kind == .invalid && error.remedy.contains(folder.url.path), "\(error)")
    }
  }

  @Test("other images than at the start are an error that names the difference") func otherImages() throws {
    func dataset(_ change: (inout [UInt8]) -> Void = { _ in }) -> ImageDataset {
      var pixels = (0..<4000 * 16).map { UInt8(truncatingIfNeeded: $0 &* 37) }
      change(&pixels)
      return ImageDataset(name: "patterns", channels: 1, side: 4, pixels: pixels)
    }
    var options = Self.options
    options.dataFolder = "/old/place"
    try options.identify(dataset())
    let saved = try JSONDecoder().decode(TrainingOptions.self, from: options.json())
    #expect(saved.fingerprint != nil && saved == options)
    for (change, problem): ((inout [UInt8]) -> Void, String) in [
      ({ $0.removeLast(16) }, "has 3999 images, and had 4000"),
      ({ for place in $0.indices { $0[place] ^= 1 } }, "other pixels"),
    ] {
      var resumed = saved
      let error = try #require(throws: FileError.self) { try resumed.identify(dataset(change)) }
      #expect(error.problem.contains(problem) && error.path == "/old/place", "\(error)")
    }
    var resumed = saved
    resumed.dataFolder = "/new/place"
    try resumed.identify(dataset())
  }
}

extension RunFolder {
  /// A copy beside it.
  func copied() throws -> RunFolder {
    let copy = url.deletingLastPathComponent().appending(path: "copy-of-\(url.lastPathComponent)")
    try FileManager.default.copyItem(at: url, to: copy)
    return RunFolder(url: copy)
  }

  /// The images of every line of the statistics.
  func lines() throws -> [Int] {
    try Data(contentsOf: statistics).split(separator: UInt8(ascii: "\n")).map {
      try JSONDecoder().decode(TickStatistics.self, from: Data($0)).images
    }
  }
}
