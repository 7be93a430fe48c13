import Archives
import ArchivesSupport
import DDNFiles
import Foundation
import Testing

@testable import DDNData

@Suite("DigitDataset")
struct DigitDatasetTests {
  /// 28 x 28, each pixel different from its neighbours.
  private static let digit = (0..<784).map { UInt8(truncatingIfNeeded: $0 &* 73 &+ $0 / 28) }

  @Test("the shipped digits are MNIST's 10,000 test digits in its order")
  func shipped() throws {
    let digits = try DigitDataset.shipped(resize: .padded)
    #expect(digits.name == "MNIST test")
    #expect(digits.count == 10_000)
    #expect(digits.images.count == 10_000 * 32 * 32)
    #expect(digits.labels.prefix(10) == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9])
    // CRC-32 of the files without their headers; the README beside them has their MD5.
    #expect(crc(digits.labels) == 0xee86_04d9)
    #expect(crc(Self.cropped(digits.images)) == 0xe4ca_5f57)
  }

  @Test("bilinear resizing equals PIL's exactly, on digits and on noise")
  func bilinear() throws {
    let sources = try golden("digits-28.bin")
    let expected = try golden("digits-32.bin")
    #expect(sources.count == 21 * 784)
    #expect(BilinearUpsampling(from: 28, to: 32)(sources) == expected)
    #expect(try DigitDataset.shipped().images.prefix(20 * 1024) == expected.prefix(20 * 1024))
  }

  @Test("padding adds two black pixels on each side")
  func padded() throws {
    try withDigits(images: idx(0x803, [2, 28, 28], Self.digit + Self.digit.reversed()), labels: [3, 4]) { folder in
      let digits = try DigitDataset(folder: folder, split: .test, resize: .padded)
      #expect(digits.labels == [3, 4])
      #expect(Self.cropped(digits.images) == Self.digit + Self.digit.reversed())
      let border = digits.images.enumerated().filter { offset, _ in
        let (y, x) = (offset % 1024 / 32, offset % 32)
        return y < 2 || y >= 30 || x < 2 || x >= 30
      }
      #expect(border.count == 2 * (1024 - 784))
      #expect(border.allSatisfy { $0.element == 0 })
    }
  }

  @Test("32 x 32 digits are not resized, and other sizes are refused", arguments: DigitDataset.Resize.allCases)
  func otherSizes(resize: DigitDataset.Resize) throws {
    let pixels = (0..<1024).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    try withDigits(images: idx(0x803, [1, 32, 32], pixels), labels: [5]) { folder in
      let digits = try DigitDataset(folder: folder, split: .test, resize: resize)
      #expect(digits.images == pixels)
    }
    try withDigits(images: idx(0x803, [1, 16, 28], Array(pixels.prefix(448))), labels: [5]) { folder in
      let error = try #require(throws: FileError.self) {
        try DigitDataset(folder: folder, split: .test, resize: resize)
      }
      #expect(error.problem.contains("28 x 16 pixels"))
    }
  }

  @Test("training and test files, plain or gzip, are found by name")
  func names() throws {
    try withTemporaryFolder { folder in
      let missing = try #require(throws: FileError.self) { try DigitDataset(folder: folder, split: .train) }
      #expect(missing.kind == .missing)
      #expect(missing.path == folder.path)
      #expect(missing.problem.contains("neither train-images-idx3-ubyte nor train-images-idx3-ubyte.gz"))

      try gzip(idx(0x803, [1, 28, 28], Self.digit)).write(
        to: folder.appendingPathComponent("train-images-idx3-ubyte.gz"))
      let noLabels = try #require(throws: FileError.self) { try DigitDataset(folder: folder, split: .train) }
      #expect(noLabels.problem.contains("neither train-labels-idx1-ubyte nor train-labels-idx1-ubyte.gz"))

      try idx(0x801, [1], [8]).write(to: folder.appendingPathComponent("train-labels-idx1-ubyte"))
      let digits = try DigitDataset(folder: folder, split: .train)
      #expect(digits.labels == [8])
      #expect(digits.name == "\(folder.lastPathComponent) train")
      #expect(throws: FileError.self) { try DigitDataset(folder: folder, split: .test) }
    }
  }

  @Test("unequal numbers of labels and images are an error")
  func countMismatch() throws {
    try withDigits(images: idx(0x803, [1, 28, 28], Self.digit), labels: [1, 2]) { folder in
      let error = try #require(throws: FileError.self) { try DigitDataset(folder: folder, split: .test) }
      #expect(error.kind == .invalid)
      #expect(error.problem.contains("1 images, but t10k-labels-idx1-ubyte has 2 labels"))
    }
  }

  @Test("labels above 9 are classes, and names with a dot are found")
  func manyClasses() throws {
    try withTemporaryFolder { folder in
      try idx(0x803, [1, 28, 28], Self.digit).write(to: folder.appendingPathComponent("t10k-images.idx3-ubyte"))
      try gzip(idx(0x801, [1], [25])).write(to: folder.appendingPathComponent("t10k-labels.idx1-ubyte.gz"))
      for url in [folder, folder.appendingPathComponent("t10k-images.idx3-ubyte")] {
        let source = try openImages(url, split: .test, resize: .padded)
        #expect(source.labels == [25] && source.preparation == ["28x28 made 32x32: padded"])
      }
    }
  }

  @Test("EMNIST's images are found by name and made upright; a folder with several sets is ambiguous")
  func emnist() throws {
    try withTemporaryFolder { folder in
      let pixels = (0..<1024).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 / 32) }
      func write(_ name: String) throws {
        try idx(0x803, [1, 32, 32], pixels).write(to: folder.appendingPathComponent("\(name)-images-idx3-ubyte"))
        try idx(0x801, [1], [26]).write(to: folder.appendingPathComponent("\(name)-labels-idx1-ubyte"))
      }
      try write("emnist-letters-test")
      let digits = try DigitDataset(folder: folder, split: .test)
      #expect(digits.labels == [26] && digits.preparation.count == 1)
      let upright = (0..<1024).map { (place: Int) -> UInt8 in pixels[place % 32 * 32 + place / 32] }
      #expect(digits.images == upright)
      try write("emnist-digits-test")
      let several = try #require(throws: FileError.self) { try DigitDataset(folder: folder, split: .test) }
      #expect(several.problem.contains("several data sets"))
      let one = folder.appendingPathComponent("emnist-digits-test-images-idx3-ubyte")
      #expect(try openImages(one).count == 1)
    }
  }

  @Test("splitting holds out the last digits and loses none", arguments: [0, 1, 3])
  func split(tailCount: Int) throws {
    let images = (0..<3).flatMap { digit in [UInt8](repeating: UInt8(digit), count: 1024) }
    try withDigits(images: idx(0x803, [3, 32, 32], images), labels: [7, 8, 9]) { folder in
      let whole = try DigitDataset(folder: folder, split: .test)
      let (head, tail) = whole.split(last: tailCount)
      #expect((head.count, tail.count) == (3 - tailCount, tailCount))
      #expect(head.images + tail.images == whole.images)
      #expect(head.labels + tail.labels == whole.labels)
    }
  }

  private func withDigits(images: Data, labels: [UInt8], _ body: (URL) throws -> Void) throws {
    try withTemporaryFolder { folder in
      try images.write(to: folder.appendingPathComponent("t10k-images-idx3-ubyte"))
      try idx(0x801, [labels.count], labels).write(to: folder.appendingPathComponent("t10k-labels-idx1-ubyte"))
      try body(folder)
    }
  }

  /// `[N, 32, 32] -> [N, 28, 28]`
  private static func cropped(_ images: [UInt8]) -> [UInt8] {
    var cropped: [UInt8] = []
    cropped.reserveCapacity(images.count / 1024 * 784)
    for image in stride(from: 0, to: images.count, by: 1024) {
      for row in 2..<30 { cropped += images[image + row * 32 + 2..<image + row * 32 + 30] }
    }
    return cropped
  }

  private func crc(_ bytes: [UInt8]) -> UInt32 { Checksum.crc32(Data(bytes)) }

  private func golden(_ name: String) throws -> [UInt8] {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    return try [UInt8](Data(contentsOf: tests.appendingPathComponent("Golden/mnist-resize/\(name)")))
  }
}
