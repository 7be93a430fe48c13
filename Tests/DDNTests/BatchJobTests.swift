import DDN
import Testing
import Torch

@Suite("Jobs over many images")
struct BatchJobTests {
  struct Images: EncodingSource {
    let images: Tensor
    var count: Int { images.shape[0] }
    func images(in range: Range<Int>) throws -> (images: Tensor, classes: Tensor?) { (try images.slice(0, range), nil) }
  }

  static func network() throws -> RecurrentNetwork {
    try RecurrentNetwork(.init(baseWidth: 4, nodes: 8, repeats: 3), generator: Generator(seed: 1))
  }

  static func drawing(_ network: RecurrentNetwork, _ count: Int, batch: Int) -> DrawingJob {
    let list = CodeList(seeds: (0..<UInt64(count)).map { $0 }, in: network.codeSpace)
    return DrawingJob(list.entries, by: network, batchSize: batch)
  }

  @Test(
    "batches cover all images in order, with nearly equal sizes of at most the batch size",
    arguments: [1, 2, 3, 7, 8, 9, 64])
  func batches(size: Int) throws {
    let batches = try Self.drawing(Self.network(), 9, batch: size).batches
    #expect(batches.flatMap { Array($0) } == Array(0..<9))
    #expect(batches.allSatisfy { $0.count <= size })
    #expect(batches.dropLast().allSatisfy { $0.count == batches[0].count })
    #expect(try Self.drawing(Self.network(), 0, batch: size).batches.isEmpty)
  }

  @Test("results do not depend on the batch size")
  func batchSize() throws {
    let network = try Self.network()
    func drawn(_ batch: Int) throws -> [Float] {
      var images: [Float] = []
      try Self.drawing(network, 10, batch: batch).run { images += try $1.array(Float.self) }
      return images
    }
    let all = try drawn(64)
    #expect(try drawn(1) == all && drawn(3) == all)

    let targets = Images(images: try Tensor(all, shape: [10, 1, 32, 32]))
    func codes(_ batch: Int) throws -> [LatentCode] {
      var codes: [LatentCode] = []
      try EncodingJob(targets, count: 7, by: network, batchSize: batch).run { codes += $1.reconstruction.codes }
      return codes
    }
    let found = try codes(64)
    #expect(try found.count == 7 && codes(2) == found)
  }

  @Test("a job stops between and within batches, and skips batches that are not needed")
  func stopping() throws {
    let network = try Self.network()
    let job = Self.drawing(network, 12, batch: 4)
    var seen: [Range<Int>] = []
    func isBelowTwo() -> Bool { seen.count < 2 }
    #expect(throws: JobStopped.self) {
      try job.run(shouldContinue: isBelowTwo) { range, _ in seen.append(range) }
    }
    #expect(seen == [0..<4, 4..<8])
    var calls = 0
    func isEarly() -> Bool {
      calls += 1
      return calls < 3
    }
    #expect(throws: JobStopped.self) {
      try job.run(shouldContinue: isEarly) { _, _ in Issue.record("a batch was finished") }
    }
    seen = []
    func isNotSecond(_ range: Range<Int>) -> Bool { range.lowerBound != 4 }
    try job.run(isNeeded: isNotSecond) { range, _ in seen.append(range) }
    #expect(seen == [0..<4, 8..<12])
  }
}
