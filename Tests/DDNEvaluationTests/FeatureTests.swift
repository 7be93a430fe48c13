import DDN
import DDNEvaluation
import DDNFiles
import DDNVision
import Foundation
import GoldenSupport
import Images
import Testing
import Torch

@Suite("Features of images") struct FeatureTests {
  @Test("subsets are those of numpy's RandomState") func subsets() throws {
    let golden = try JSONDecoder().decode(
      [String: [Int]].self, from: Data(contentsOf: Golden.url("inception/shuffles.json")))
    for (seed, expected) in golden {
      #expect(ImageSubset.indices(count: 1000, number: 12, seed: UInt64(seed)!) == expected)
    }
    #expect(ImageSubset.indices(count: 5, number: 5, seed: 3) == [0, 1, 2, 3, 4])
  }

  @Test("a folder's features are computed once, resume within, and are those of the images") func folder() throws {
    let scratch = try ScratchFolder()
    let folder = scratch.file("images")
    try writePictures(20, in: folder)
    let cache = scratch.file("cache")
    let first = QuadrantDetector()
    // Stopped after the first of three batches.
    #expect(throws: JobStopped.self) {
      try Features(
        of: FileImages(folder), by: first, cache: cache, batch: 7, shouldContinue: { first.counter.images < 7 })
    }
    let second = QuadrantDetector()
    let features = try Features(of: FileImages(folder), by: second, cache: cache, batch: 5)
    #expect(first.counter.images == 7 && second.counter.images == 13 && features.count == 20)
    let picture = try PNG.read(folder.appending(path: "0013.png"))
    let mean =
      picture.pixels.enumerated().filter { $0.offset % 8 < 4 && $0.offset < 32 }
      .reduce(0) { $0 + Double($1.element) } / 16 / 255
    #expect(abs(try features.file.rows(13..<14).array(Double.self)[0] - mean) < 1e-6)
  }

  @Test("another detector, another folder and a changed image have other features") func identities() throws {
    let scratch = try ScratchFolder()
    let (folder, cache) = (scratch.file("images"), scratch.file("cache"))
    try writePictures(4, in: folder)
    func seen(_ checksum: String = "1") throws -> Int {
      let detector = QuadrantDetector(identity: .init(name: "quadrants", checksum: checksum))
      _ = try Features(of: FileImages(folder), by: detector, cache: cache)
      return detector.counter.images
    }
    #expect(try seen() == 4 && seen() == 0 && seen("2") == 4)
    try writePictures(1, side: 6, first: 2, in: folder)
    #expect(try seen() == 4)
  }

  @Test("images of several sizes, gray and RGB, keep their order") func sizes() throws {
    let scratch = try ScratchFolder()
    let folder = scratch.file("images")
    try writePictures(2, side: 8, in: folder)
    try writePictures(1, side: 4, first: 2, in: folder)
    try Bitmap(width: 2, height: 4, channels: 3, pixels: (0..<24).map { UInt8($0) })
      .write(to: folder.appending(path: "0003.png"))
    try writePictures(1, side: 8, first: 4, in: folder)
    let groups = try FileImages(folder).pixels(in: 0..<5)
    #expect(groups.map(\.shape) == [[2, 1, 8, 8], [1, 1, 4, 4], [1, 3, 4, 2], [1, 1, 8, 8]])
    #expect(try groups[2].array(UInt8.self).prefix(8) == [0, 3, 6, 9, 12, 15, 18, 21])
  }

  @Test("a folder that changes while it is read is an error") func changes() throws {
    let scratch = try ScratchFolder()
    let folder = scratch.file("images")
    try writePictures(4, in: folder)
    let images = try FileImages(folder)
    #expect(throws: FileError.self) {
      try Features(
        of: images, by: QuadrantDetector(), cache: nil, batch: 2,
        progress: { done in
          if done == 2 { try? writePictures(1, first: 4, in: folder) }
        })
    }
    let error = try #require(throws: FileError.self) { try images.checkUnchanged() }
    #expect(error.description.contains("has changed while its images were read"), "\(error)")
  }

  @Test("too few images are an error with both numbers") func fewImages() throws {
    let scratch = try ScratchFolder()
    let folder = scratch.file("images")
    try writePictures(1, in: folder)
    let one = try #require(throws: FileError.self) { try FileImages(folder) }
    #expect(one.description.contains("has 1 image, fewer than 2"), "\(one)")
    try writePictures(3, in: folder)
    let few = try #require(throws: FileError.self) { try FileImages(folder, number: 4) }
    #expect(few.description.contains("has 3 images, fewer than 4"), "\(few)")
    #expect(try FileImages(folder, number: 2, seed: 1).count == 2)
  }

  @Test("features that are not finite name the images") func notFinite() throws {
    let source = RowSource(rows: [[1, 2], [3, 4], [.nan, 5], [6, 7]])
    let error = try #require(throws: EvaluationError.self) { try source.features(batch: 2) }
    #expect(error.description.contains("an image among 2...3 are not finite"), "\(error)")
  }
}

@Suite("Files of features") struct FeatureFileTests {
  private static let rows: [[Float]] = (0..<11).map { row in (0..<3).map { Float(row * 3 + $0) } }

  private static func open(_ url: URL, _ identity: String = "same") throws -> FeatureFile {
    try FeatureFile(url, identity: identity, featureCount: 3)
  }

  private static func fill(_ url: URL) throws {
    let file = try open(url)
    for range in [0..<4, 4..<5, 5..<11] {
      try file.append(Tensor(rows[range].flatMap { $0 }, shape: [range.count, 3]))
    }
  }

  @Test("rows come back in any order, across records and after reopening") func rows() throws {
    let scratch = try ScratchFolder()
    try Self.fill(scratch.file("a"))
    let file = try Self.open(scratch.file("a"))
    #expect(file.count == 11)
    for indices in [Array(0..<11), [10, 0, 4, 3, 5], [2, 3, 4, 5, 6], []] {
      let found: [Float] = try file.rows(indices).array()
      #expect(found == indices.flatMap { Self.rows[$0] })
    }
  }

  @Test("damage at any place drops the records from there on, and nothing before") func damage() throws {
    let scratch = try ScratchFolder()
    let url = scratch.file("a")
    try Self.fill(url)
    let whole = try Data(contentsOf: url)
    let starts = [0, 4, 5, 11]
    for place in stride(from: 0, to: whole.count, by: 3) {
      for isTruncated in [true, false] {
        var bytes = isTruncated ? whole.prefix(place) : whole
        if !isTruncated { bytes[place] ^= 0x55 }
        try bytes.write(to: url)
        let file = try Self.open(url)
        #expect(starts.contains(file.count) && file.count < 11)
        let found: [Float] = try file.rows(0..<file.count).array()
        #expect(found == Self.rows.prefix(file.count).flatMap { $0 })
        // It grows again.
        try file.append(Tensor([1, 2, 3] as [Float], shape: [1, 3]))
        #expect(try file.rows([file.count - 1]).array(Float.self) == [1, 2, 3])
      }
    }
  }

  @Test("a file of other features is emptied, one in use is refused") func others() throws {
    let scratch = try ScratchFolder()
    try Self.fill(scratch.file("a"))
    do {
      let file = try Self.open(scratch.file("a"))
      let error = try #require(throws: FileError.self) { try Self.open(scratch.file("a")) }
      #expect(error.description.contains("another process computes these features") && file.count == 11)
    }
    #expect(try Self.open(scratch.file("a"), "other").count == 0)
  }
}
