import DDN
import DDNFiles
import Foundation
import Testing
import Torch

@testable import DDNTraining

@Suite("Checkpoints") struct CheckpointTests {
  /// Saves a trainer and returns the state's folder.
  private static func save(_ trainer: Trainer, in folder: URL) throws -> URL {
    let summary = TrainingSummary(
      data: "digits", images: trainer.images, elapsedSeconds: 12.5, lossOfLevels: [0.5, 0.25], perplexityOfLayers: [3])
    try Checkpoint.save(trainer, summary: summary, in: folder)
    return Checkpoint.url(in: folder, images: trainer.images)
  }

  @Test("a trainer that loads one takes bit-identical next five steps", arguments: [false, true])
  func continues(isClassConditional: Bool) throws {
    let scratch = try Scratch()
    let options = SmallTraining.options(isClassConditional: isClassConditional)
    let first = try SmallTraining.trainer(options)
    for _ in 0..<4 { try first.step() }
    let url = try Self.save(first, in: scratch.url)
    #expect(try !first.takeLosses().isEmpty)

    let second = try SmallTraining.trainer(options)
    let summary = try Checkpoint.load(url, into: second)
    #expect(summary.elapsedSeconds == 12.5 && summary.images == 128)
    #expect(try TrainerState(second).differences(from: TrainerState(first)) == [])
    for _ in 0..<5 {
      let (one, other) = (try first.step(), try second.step())
      #expect(one == other)
    }
    #expect(try first.takeLosses() == second.takeLosses())
    let (one, other) = (try TrainerState(first), try TrainerState(second))
    #expect(one.differences(from: other) == [])
    #expect(one == other)
    #expect(one.images == 288 && one.statistics.values.contains { !$0.splitImages.isEmpty })
  }

  @Test("loading a state of another configuration, data or seed throws and changes nothing")
  func otherConfigurations() throws {
    let scratch = try Scratch()
    let saved = try SmallTraining.trainer()
    try saved.step()
    let url = try Self.save(saved, in: scratch.url)
    let others = [
      try SmallTraining.trainer(SmallTraining.options(nodes: 8)), try SmallTraining.trainer(onOthers: true),
      try SmallTraining.trainer(SmallTraining.options(seed: 2)),
    ]
    for other in others {
      try other.step()
      let before = try TrainerState(other)
      let error = try #require(throws: FileError.self) { try Checkpoint.load(url, into: other) }
      #expect(error.kind == .invalid && error.path.hasPrefix(url.path))
      #expect(try TrainerState(other) == before)
    }
  }

  /// Ways to damage the second of a state's two files.
  static let damages: [(String, @Sendable (inout [String: String], inout [Entry]) -> Void)] = [
    ("no progress", { metadata, _ in metadata["progress"] = nil }),
    (
      "other images",
      { metadata, _ in metadata["progress"] = metadata["progress"]!.replacing("\"drawn\":32", with: "\"drawn\":64") }
    ),
    (
      "no moment",
      { _, entries in entries.removeAll { $0.name.hasPrefix("adam/") && $0.name.hasSuffix("layer.weight.mean") } }
    ),
    ("no statistics", { _, entries in entries.removeAll { $0.name.hasSuffix(".rivalCounts") } }),
    ("one tensor more", { _, entries in entries.append((name: "more", dtype: .uint8, shape: [1], bytes: Data([1]))) }),
    (
      "a short random state",
      { _, entries in
        entries.removeAll { $0.name == "random" }
        entries.append((name: "random", dtype: .uint8, shape: [16], bytes: Data(count: 16)))
      }
    ),
    (
      "a random state of zeros",
      { _, entries in
        let index = entries.firstIndex { $0.name == "random" }!
        entries[index].bytes = Data(count: entries[index].bytes.count)
      }
    ),
  ]
  typealias Entry = (name: String, dtype: DType, shape: [Int], bytes: Data)

  @Test("loading a damaged state throws and changes nothing", arguments: damages.indices)
  func damaged(index: Int) throws {
    let scratch = try Scratch()
    let trainer = try SmallTraining.trainer()
    try trainer.step()
    let url = try Self.save(trainer, in: scratch.url)
    let file = try SafetensorsFile(contentsOf: url.appending(path: "training.safetensors"))
    var metadata = file.metadata
    var entries: [Entry] = try file.entries.map { name, entry in
      (name: name, dtype: entry.dtype, shape: entry.shape, bytes: try file.withBytes(of: name) { Data($0) })
    }
    Self.damages[index].1(&metadata, &entries)
    try SafetensorsFile.write(entries, metadata: metadata, to: file.url)

    try trainer.step()
    let before = try TrainerState(trainer)
    let error = #expect(throws: FileError.self) { try Checkpoint.load(url, into: trainer) }
    #expect(error?.kind == .invalid, "\(Self.damages[index].0)")
    #expect(try TrainerState(trainer).differences(from: before) == [])
    #expect(try TrainerState(trainer) == before)
  }

  @Test("a state that lacks a file is missing") func missingFile() throws {
    let scratch = try Scratch()
    let trainer = try SmallTraining.trainer()
    let url = try Self.save(trainer, in: scratch.url)
    try FileManager.default.removeItem(at: url.appending(path: "training.safetensors"))
    let error = #expect(throws: FileError.self) { try Checkpoint.load(url, into: trainer) }
    #expect(error?.kind == .missing)
  }

  @Test("states are sorted by images, and only the newest are kept") func keepsNewest() throws {
    let scratch = try Scratch()
    // Names of more than ten digits do not sort like numbers.
    for images in [9_999_999_999, 500, 10_000_000_000, 1000] {
      try Folder.create(Checkpoint.url(in: scratch.url, images: images))
    }
    for name in ["state-", "state-new", "other", ".state-0000000001.part"] {
      try Folder.create(scratch.url.appending(path: name))
    }
    func names() throws -> [String] { try Checkpoint.all(in: scratch.url).map(\.lastPathComponent) }
    #expect(try names() == ["state-0000000500", "state-0000001000", "state-9999999999", "state-10000000000"])
    try Checkpoint.keepNewest(2, in: scratch.url)
    #expect(try names() == ["state-9999999999", "state-10000000000"])
    #expect(try Folder.names(in: scratch.url).filter { $0.contains("removed") } == [])
  }
}
