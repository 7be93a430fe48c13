import DDN
import DDNFiles
import DDNTraining
import Foundation
import GoldenSupport
import Testing

@testable import DDNServer

@Suite("A run folder is reported while it grows") struct TrainingReaderTests {
  private static func folder(in scratch: ScratchFolder) throws -> RunFolder {
    let options = TrainingOptions(
      network: .recurrent(.init(baseWidth: 2, nodes: 4, repeats: 3)), images: 10_000,
      dataFolder: "/secret/place/flowers.zip",
      batch: 32)
    return try RunFolder.create(in: scratch.url, name: "flowers", options: options)
  }

  private static func write(_ count: Int, to folder: RunFolder) throws {
    let lines = (1...count).map { number in
      """
      {"images": \(10 * number), "elapsedSeconds": \(number), "imagesPerSecond": 10, "learningRate": 0.001, "loss": 0.5, \
      "lossOfLevels": [0.6, 0.5, 0.4], "perplexityOfLayers": [3], "splits": \(number)}
      """
    }
    try Data(lines.joined(separator: "\n").utf8).write(to: folder.statistics)
  }

  @Test("before its first numbers, with them, and with more than are shown") func growing() async throws {
    let scratch = try ScratchFolder()
    let folder = try Self.folder(in: scratch)
    let reader = try TrainingReader(folder.url)
    let empty = try await reader.report()
    #expect(empty.name == "00000-flowers" && empty.ticks.isEmpty && empty.samples.isEmpty && empty.age == nil)
    #expect(empty.data == "flowers.zip" && empty.images == 10_000 && empty.levels == 3)
    try Self.write(3, to: folder)
    let some = try await reader.report()
    #expect(some.ticks.map(\.images) == [10, 20, 30] && some.nodes == [4] && (some.age ?? -1) >= 0)
    try Self.write(1000, to: folder)
    let many = try await reader.report()
    #expect(many.ticks.count == TrainingReport.mostTicks)
    #expect(many.ticks.first?.images == 10 && many.ticks.last?.images == 10_000)
  }

  @Test("only pictures of samples are served") func samples() async throws {
    let scratch = try ScratchFolder()
    let folder = try Self.folder(in: scratch)
    let picture = Data([1, 2, 3])
    for name in ["samples-0000000064.png", "samples-x.png", "samples-.png", "reconstructions-0000000064.png"] {
      try picture.write(to: folder.url.appending(path: name))
    }
    let reader = try TrainingReader(folder.url)
    #expect(try await reader.report().samples == [64])
    #expect(try await reader.samples(images: 64) == picture)
    let error = await #expect(throws: RequestError.self) { _ = try await reader.samples(images: 65) }
    #expect(error?.status.code == 404)
  }

  @Test("what is no run folder is refused") func noRun() throws {
    let scratch = try ScratchFolder()
    #expect(throws: FileError.self) { try TrainingReader(scratch.url) }
  }
}
