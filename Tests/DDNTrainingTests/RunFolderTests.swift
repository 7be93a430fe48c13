import DDN
import DDNData
import DDNFiles
import Foundation
import Testing
import Torch

@testable import DDNTraining

@Suite("A run folder") struct RunFolderTests {
  private static let options = SmallTraining.options()

  @Test("a new folder has the next number, the name and the options") func numbering() throws {
    let scratch = try Scratch()
    let parent = scratch.url.appending(path: "deep/runs")
    #expect(try RunFolder.nextName(in: parent, name: "x") == "00000-x")
    #expect(try RunFolder.create(in: parent, name: "x", options: Self.options).url.lastPathComponent == "00000-x")
    try Folder.create(parent.appending(path: "00041-y"))
    for name in ["notes", "-7", "9223372036854775807-z", "99999999999999999999-z"] {
      try Folder.create(parent.appending(path: name))
    }
    let folder = try RunFolder.create(in: parent, name: "x", options: Self.options)
    #expect(folder.url.lastPathComponent == "00042-x")
    #expect(try RunFolder.open(folder.url).1 == Self.options)
    #expect(try Folder.names(in: folder.url) == ["options.json"])
  }

  @Test("runs that begin at the same time get folders of their own") func together() async throws {
    let scratch = try Scratch()
    let parent = scratch.url
    let names = try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<16 {
        group.addTask { try RunFolder.create(in: parent, name: "x", options: Self.options).url.lastPathComponent }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(Set(names).count == 16)
    #expect(names.sorted() == (0..<16).map { String(format: "%05d-x", $0) })
  }

  @Test("a folder that is no run, or has options that cannot be, is not opened") func noRun() throws {
    let scratch = try Scratch()
    func kind() -> FileError.Kind? {
      let error = #expect(throws: FileError.self) { try RunFolder.open(scratch.url) }
      return error?.kind
    }
    #expect(kind() == .missing)
    var impossible = Self.options
    impossible.batch = 0
    for bytes in [Data(), Data("{}".utf8), try impossible.json()] {
      try bytes.write(to: scratch.url.appending(path: "options.json"))
      #expect(kind() == .invalid)
    }
  }

  private static func tick(_ images: Int) -> TickStatistics {
    TickStatistics(
      images: images, elapsedSeconds: 1, imagesPerSecond: 2, learningRate: 3, loss: 4, lossOfLevels: [5],
      perplexityOfLayers: [6], splits: 7)
  }

  @Test("statistics of later than the resumed state are forgotten, and so is half a line") func truncation() throws {
    let scratch = try Scratch()
    let folder = RunFolder(url: scratch.url)
    try folder.truncateStatistics(after: 0)
    #expect(try Folder.names(in: scratch.url) == [])
    for images in [100, 200, 300, 400] { try folder.append(Self.tick(images)) }
    let whole = try Data(contentsOf: folder.statistics)
    try (whole + Data("{\"images\":1".utf8)).write(to: folder.statistics)
    try folder.truncateStatistics(after: 300)
    let lines = try Data(contentsOf: folder.statistics).split(separator: UInt8(ascii: "\n"))
    let ticks = try lines.map { try JSONDecoder().decode(TickStatistics.self, from: Data($0)) }
    #expect(ticks == [100, 200, 300].map(Self.tick))
    try folder.append(Self.tick(350))
    #expect(try Data(contentsOf: folder.statistics).split(separator: UInt8(ascii: "\n")).count == 4)
  }
}

@Suite("A training run") struct TrainingRunTests {
  @Test("ticks, saves and the end come when the options say") func rhythm() throws {
    let scratch = try Scratch()
    let run = try SmallTraining.run(SmallTraining.options(images: 300), in: scratch.url)
    var events: [String] = []
    try run.run(report: { event in
      switch event {
      case .progress: break
      case .stopping, .trouble: Issue.record("\(event)")
      case .tick(let tick):
        let newest = try Checkpoint.all(in: run.folder.url).last?.lastPathComponent.suffix(3)
        events.append("tick \(tick.images), saved \(newest ?? "nothing")")
      }
    })
    // A tick every 64 images, a save every other tick and at the end, each before the tick is shown.
    #expect(
      events == [
        "tick 64, saved nothing", "tick 128, saved 128", "tick 192, saved 128", "tick 256, saved 256",
        "tick 320, saved 320",
      ])
    #expect(try Checkpoint.all(in: run.folder.url).count == 2)
    #expect(try Model(contentsOf: run.folder.model).training?.images == 320)
    #expect(try run.folder.lines() == [64, 128, 192, 256, 320])
  }

  @Test("a run that is asked to stop saves, and resumed it ends like one that was not") func stopping() throws {
    let scratch = try Scratch()
    let options = SmallTraining.options(images: 256)
    let quiet = try SmallTraining.run(options, in: scratch.url)
    try quiet.run()

    func stopped() throws -> RunFolder {
      let run = try SmallTraining.run(options, in: scratch.url)
      let error = try #require(throws: TrainingError.self) {
        try run.run(shouldStop: { run.trainer.images >= 96 })
      }
      guard case .interrupted(images: 96, savedIn: run.folder.url.path) = error else {
        throw error
      }
      return run.folder
    }
    let folder = try stopped()
    // What a killed process leaves is cleared away.
    try Data().write(to: folder.url.appending(path: ".model.safetensors.1.part"))
    try Folder.create(folder.url.appending(path: ".state-0000000032.removed"))
    let resumed = try TrainingRun(options, data: SmallTraining.data(), folder: folder, device: .cpu)
    #expect(try resumed.resume().images == 96)
    #expect(try Folder.names(in: folder.url).allSatisfy { !$0.hasPrefix(".") })
    try resumed.run()
    #expect(try TrainerState(resumed.trainer) == TrainerState(quiet.trainer))
    #expect(try folder.lines() == [64, 96, 128, 192, 256])
  }

  @Test("a stop within the very first step saves the beginning") func stoppingAtOnce() throws {
    let scratch = try Scratch()
    let options = SmallTraining.options(images: 128)
    let quiet = try SmallTraining.run(options, in: scratch.url)
    try quiet.run()
    let run = try SmallTraining.run(options, in: scratch.url)
    let folder = run.folder
    #expect(throws: TrainingError.self) { try run.run(shouldStop: { true }, report: { _ in }) }
    let resumed = try TrainingRun(options, data: SmallTraining.data(), folder: folder.copied(), device: .cpu)
    #expect(try resumed.resume().images == 0)
    try resumed.run()
    #expect(try TrainerState(resumed.trainer) == TrainerState(quiet.trainer))
  }

  @Test("what the disk refuses is told and tried again at the next tick, and no line of the statistics is lost")
  func fullDisk() throws {
    let scratch = try Scratch()
    let options = SmallTraining.options(images: 384)
    let run = try SmallTraining.run(options, in: scratch.url)
    // A folder in the place of the file, until the third tick.
    try Folder.create(run.folder.statistics)
    try Folder.create(Checkpoint.url(in: run.folder.url, images: 128).appending(path: "in the way"))
    var troubles: [FileError] = []
    try run.run(report: { event in
      if case .trouble(let error) = event { troubles.append(error) }
      if case .tick(let tick) = event, tick.images == 192 { try Folder.remove(run.folder.statistics) }
      if case .tick(let tick) = event, tick.images == 320 {
        throw FileError(.failed, path: "picture.png", problem: "cannot be written", remedy: "free some space")
      }
    })
    #expect(troubles.map(\.path).filter { $0 == run.folder.statistics.path }.count == 3)
    #expect(troubles.last?.path == "picture.png")
    #expect(try run.folder.lines() == [64, 128, 192, 256, 320, 384])
    #expect(try Checkpoint.all(in: run.folder.url).last?.lastPathComponent == "state-0000000384")
  }

  @Test("two runs cannot train in one folder at once") func locked() throws {
    let scratch = try Scratch()
    let run = try SmallTraining.run(in: scratch.url)
    let error = #expect(throws: FileError.self) {
      try TrainingRun(SmallTraining.options(), data: SmallTraining.data(), folder: run.folder, device: .cpu)
    }
    #expect(error?.kind == .failed)
  }

  @Test("a loss that is no longer a number ends the run and is never saved") func divergence() throws {
    let scratch = try Scratch()
    let run = try SmallTraining.run(SmallTraining.options(learningRate: 1e30), in: scratch.url)
    #expect(throws: TrainingError.self) { try run.run() }
    #expect(try Folder.names(in: run.folder.url) == ["options.json"])
  }
}

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

  @Test("without its saved states it is refused, and nothing in it changes", arguments: [true, false])
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

  @Test("stopped before its first save it begins again and says so") func beforeTheFirstSave() throws {
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
    "a damaged newest state is put aside and the one before is used, and the end is the same",
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
    // The newest model is newer than the state; it stays until it is made again.
    #expect(try Data(contentsOf: folder.model) == model)
    try run.run()
    #expect(try TrainerState(run.trainer).differences(from: TrainerState(quiet.trainer)) == [])
    #expect(try Checkpoint.all(in: folder.url).map(\.lastPathComponent) == ["state-0000000128", "state-0000000256"])
    #expect(try folder.lines() == [64, 128, 192, 256])
  }

  @Test("with all states damaged it is refused, and nothing in it changes") func allDamaged() throws {
    let scratch = try Scratch()
    let folder = try Self.finished(in: scratch)
    for state in try Checkpoint.all(in: folder.url) {
      try FileManager.default.removeItem(at: state.appending(path: "training.safetensors"))
    }
    let before = try Folder.names(in: folder.url)
    let error = try #require(throws: FileError.self) { _ = try Self.resume(folder) }
    #expect(error.kind == .invalid && error.description.contains("the states before it are damaged, too"))
    #expect(try Folder.names(in: folder.url) == before)
  }

  @Test("a state of another training is no damaged one") func otherTraining() throws {
    let scratch = try Scratch()
    let folder = try Self.finished(in: scratch)
    let other = try TrainingRun(
      SmallTraining.options(images: 256, seed: 2), data: SmallTraining.data(), folder: folder, device: .cpu)
    let error = try #require(throws: FileError.self) { _ = try other.resume() }
    #expect(error.problem.contains("another seed"))
    #expect(try Checkpoint.all(in: folder.url).count == 2)
  }

  @Test("its parent and its states point to it") func neighbours() throws {
    let scratch = try Scratch()
    let folder = try RunFolder.create(in: scratch.url, name: "x", options: Self.options)
    let state = Checkpoint.url(in: folder.url, images: 64)
    try Folder.create(state)
    for url in [scratch.url, state] {
      let error = try #require(throws: FileError.self) { try RunFolder.open(url) }
      #expect(error.kind == .invalid && error.remedy.contains(folder.url.path), "\(error)")
    }
  }

  @Test("other images than the run began with are refused by what differs") func otherImages() throws {
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
  fileprivate func copied() throws -> RunFolder {
    let copy = url.deletingLastPathComponent().appending(path: "copy-of-\(url.lastPathComponent)")
    try FileManager.default.copyItem(at: url, to: copy)
    return RunFolder(url: copy)
  }

  /// The images of every line of the statistics.
  fileprivate func lines() throws -> [Int] {
    try Data(contentsOf: statistics).split(separator: UInt8(ascii: "\n")).map {
      try JSONDecoder().decode(TickStatistics.self, from: Data($0)).images
    }
  }
}
