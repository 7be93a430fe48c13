import DDN
import DDNFiles
import Foundation
import Testing
import Torch

@testable import DDNTraining

@Suite("Run folders") struct RunFolderTests {
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

  @Test("simultaneous runs get separate folders") func together() async throws {
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

  @Test("a folder that is not a run, or with invalid options, is an error") func noRun() throws {
    let scratch = try Scratch()
    func error() -> FileError? { #expect(throws: FileError.self) { try RunFolder.open(scratch.url) } }
    #expect(error()?.kind == .missing)
    var invalid = Self.options
    invalid.batch = 0
    for (bytes, problem) in [
      (Data(), "no training options"), (Data("{}".utf8), "no training options"), (try invalid.json(), "a batch of 0"),
    ] {
      try bytes.write(to: scratch.url.appending(path: "options.json"))
      #expect(error()?.kind == .invalid && error()?.problem.contains(problem) == true)
    }
  }

  private static func tick(_ images: Int) -> TickStatistics {
    TickStatistics(
      images: images, elapsedSeconds: 1, imagesPerSecond: 2, learningRate: 3, loss: 4, lossOfLevels: [5],
      perplexityOfLayers: [6], splits: 7)
  }

  @Test("statistics after the resumed state are removed, and so is a partial line") func truncation() throws {
    let scratch = try Scratch()
    let folder = RunFolder(url: scratch.url)
    try folder.truncateStatistics(after: 0)
    #expect(try Folder.names(in: scratch.url) == [])
    for images in [100, 200, 300, 400] { try folder.append(Self.tick(images)) }
    let whole = try Data(contentsOf: folder.statistics)
    try (whole + Data("{\"images\":1".utf8)).write(to: folder.statistics)
    #expect(try folder.truncateStatistics(after: 300) == nil)
    let lines = try Data(contentsOf: folder.statistics).split(separator: UInt8(ascii: "\n"))
    let ticks = try lines.map { try JSONDecoder().decode(TickStatistics.self, from: Data($0)) }
    #expect(ticks == [100, 200, 300].map(Self.tick))
    try folder.append(Self.tick(350))
    #expect(try Data(contentsOf: folder.statistics).split(separator: UInt8(ascii: "\n")).count == 4)

    // A damaged line within is no killed run's.
    let damaged = Data("{\"ima\n".utf8) + whole
    try damaged.write(to: folder.statistics)
    let copy = try #require(try folder.truncateStatistics(after: 500))
    #expect(try Data(contentsOf: copy) == damaged && Data(contentsOf: folder.statistics) == whole)
  }
}

@Suite("Training runs") struct TrainingRunTests {
  @Test("ticks, saves and the end follow the options") func rhythm() throws {
    let scratch = try Scratch()
    let run = try SmallTraining.run(SmallTraining.options(images: 300), in: scratch.url)
    var events: [String] = []
    try run.run(report: { event in
      switch event {
      case .progress: break
      case .stopping, .writeFailed: Issue.record("\(event)")
      case .tick(let tick):
        let newest = try Checkpoint.all(in: run.folder.url).last?.lastPathComponent.suffix(3)
        events.append("tick \(tick.images), saved \(newest ?? "nothing")")
      }
    })
    // A tick every 64 images, a save every other tick and at the end, each before the tick is reported.
    #expect(
      events == [
        "tick 64, saved nothing", "tick 128, saved 128", "tick 192, saved 128", "tick 256, saved 256",
        "tick 320, saved 320",
      ])
    #expect(try Checkpoint.all(in: run.folder.url).count == 2)
    #expect(try Model(contentsOf: run.folder.model).training?.images == 320)
    #expect(try run.folder.lines() == [64, 128, 192, 256, 320])
  }

  @Test("a stopped run saves, and resumed it gives the same result") func stopping() throws {
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
    // Leftovers of a killed process are removed.
    try Data().write(to: folder.url.appending(path: ".model.safetensors.1.part"))
    try Folder.create(folder.url.appending(path: ".state-0000000032.removed"))
    let resumed = try TrainingRun(options, data: SmallTraining.data(), folder: folder, device: .cpu)
    #expect(try resumed.resume().images == 96)
    #expect(try Folder.names(in: folder.url).allSatisfy { !$0.hasPrefix(".") })
    try resumed.run()
    #expect(try TrainerState(resumed.trainer) == TrainerState(quiet.trainer))
    #expect(try folder.lines() == [64, 96, 128, 192, 256])
  }

  @Test("a stop within the first step saves the initial state") func stoppingAtOnce() throws {
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

  @Test("failed writes are reported and retried at the next tick, without losing statistics")
  func fullDisk() throws {
    let scratch = try Scratch()
    let options = SmallTraining.options(images: 384)
    let run = try SmallTraining.run(options, in: scratch.url)
    // A folder with the file's name, until the third tick.
    try Folder.create(run.folder.statistics)
    try Folder.create(Checkpoint.url(in: run.folder.url, images: 128).appending(path: "in the way"))
    var failures: [FileError] = []
    try run.run(report: { event in
      if case .writeFailed(let error) = event { failures.append(error) }
      if case .tick(let tick) = event, tick.images == 192 { try Folder.remove(run.folder.statistics) }
      if case .tick(let tick) = event, tick.images == 320 {
        throw FileError(.failed, path: "picture.png", problem: "cannot be written", remedy: "free some space")
      }
    })
    #expect(failures.map(\.path).filter { $0 == run.folder.statistics.path }.count == 3)
    #expect(failures.last?.path == "picture.png")
    #expect(try run.folder.lines() == [64, 128, 192, 256, 320, 384])
    #expect(try Checkpoint.all(in: run.folder.url).last?.lastPathComponent == "state-0000000384")
  }

  @Test("two runs cannot train in one folder at the same time") func locked() throws {
    let scratch = try Scratch()
    let run = try SmallTraining.run(in: scratch.url)
    let error = #expect(throws: FileError.self) {
      try TrainingRun(SmallTraining.options(), data: SmallTraining.data(), folder: run.folder, device: .cpu)
    }
    #expect(error?.kind == .failed)
  }

  @Test("a non-finite loss ends the run and is never saved") func divergence() throws {
    let scratch = try Scratch()
    let run = try SmallTraining.run(SmallTraining.options(learningRate: 1e30), in: scratch.url)
    #expect(throws: TrainingError.self) { try run.run() }
    #expect(try Folder.names(in: run.folder.url) == ["options.json"])
  }
}
