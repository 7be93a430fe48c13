import DDNFiles
import Foundation
import Images
import Testing
import Torch

@testable import DDNData

@Suite("ImageDataset and TrainingImages")
struct ImageDatasetTests {
  private static func labels(_ count: Int) -> String {
    "{\"labels\": [\((0..<count).map { "[\"img\($0).png\", \($0 % 3)]" }.joined(separator: ","))]}"
  }

  @Test("cached and streamed images are equal", arguments: [1, 3])
  func cached(channels: Int) throws {
    for source in try SmallFiles(7, channels: channels, labels: Self.labels(7)).opened() {
      let inMemory = try ImageDataset(source, cacheBytes: 7 * channels * 64)
      let decoded = try ImageDataset(source, cacheBytes: 7 * channels * 64 - 1)
      #expect(inMemory.cachedPixels?.count == 7 * channels * 64 && decoded.cachedPixels == nil)
      #expect(inMemory.imageShape == [channels, 8, 8] && inMemory.count == 7 && inMemory.classes == 3)
      let indices = [6, 0, 3, 3]
      #expect(try inMemory.pixels(of: indices) == decoded.pixels(of: indices))
      let plane = testImage(3, channels: channels).pixels.enumerated().filter { $0.offset % channels == channels - 1 }
      #expect(try decoded.pixels(of: [3]).suffix(64) == plane.map(\.element)[...])
    }
  }

  @Test("pixels in memory are a data set")
  func pixels() throws {
    let pixels = (0..<2 * 3 * 16).map { UInt8($0) }
    let images = ImageDataset(name: "numbers", channels: 3, side: 4, pixels: pixels)
    #expect(images.imageShape == [3, 4, 4] && images.count == 2 && images.classes == 0 && images.name == "numbers")
    #expect(images.cachedPixels == pixels)
    #expect(try images.pixels(of: [1]) == Array(pixels[48...]))
  }

  @Test("a data set of one image works")
  func one() throws {
    for source in try SmallFiles(1).opened() {
      let images = try TrainingImages(ImageDataset(source), device: .cpu)
      #expect(images.count == 1 && images.classes == 0)
      #expect(try images.batch([0, 0]).images.shape == [2, 1, 8, 8])
    }
  }

  @Test("different sizes, mixed channels and sizes unfit for networks are errors that name the image")
  func mixed() throws {
    func failure(_ other: Bitmap, first: Bitmap = testImage(0), cacheBytes: Int = 1 << 20) throws -> FileError {
      var files = try SmallFiles()
      try files.add("a.png", first)
      try files.add("b.png", other)
      let source = try files.opened()[0]
      return try #require(throws: FileError.self) {
        _ = try ImageDataset(source, cacheBytes: cacheBytes).pixels(of: [0, 1])
      }
    }
    for cacheBytes in [1 << 20, 0] {
      let size = try failure(testImage(1, width: 16, height: 16), cacheBytes: cacheBytes)
      #expect(
        size.kind == .invalid && size.description.contains("b.png: is 16 x 16 gray, and the first image 8 x 8 gray"))
      let colour = try failure(testImage(1, channels: 3), cacheBytes: cacheBytes)
      #expect(colour.description.contains("b.png: is 8 x 8 RGB"))
    }
    let odd = testImage(0, width: 12, height: 12)
    #expect(try failure(odd, first: odd).problem.contains("12 x 12, not square with a power-of-two side"))
    #expect(try failure(odd, first: testImage(0, width: 8, height: 16)).problem.contains("8 x 16, not square"))
  }

  @Test("of several damaged images, the error names the first requested")
  func damaged() throws {
    var files = try SmallFiles(40)
    for number in [30, 20, 10] { files.files[number].content = files.files[number].content.prefix(40 + number) }
    let source = try files.opened()[0]
    let error = try #require(throws: FileError.self) { try ImageDataset(source) }
    #expect(error.path.hasSuffix("/img10.png") && error.kind == .invalid)
  }

  @Test("the error names the first damaged image even if a later one is read sooner")
  func damagedInParallel() throws {
    /// Images 2 and 12 are damaged, and image 1 waits for image 12.
    final class Source: ImageSource {
      let name = "source"
      let count = 16
      let labels: [Int]? = nil
      private let laterIsRead = DispatchSemaphore(value: 0)

      func name(of index: Int) -> String { "img\(index)" }

      func bitmap(_ index: Int, channels: ChannelChoice) throws(FileError) -> Bitmap {
        if index == 1, laterIsRead.wait(timeout: .now() + 1) == .success { Thread.sleep(forTimeInterval: 0.05) }
        if index == 12 { laterIsRead.signal() }
        if index == 2 || index == 12 {
          throw FileError(.invalid, path: name(of: index), problem: "is damaged", remedy: "fetch it again")
        }
        return testImage(index)
      }
    }
    let images = try ImageDataset(Source(), cacheBytes: 0)
    let error = try #require(throws: FileError.self) { try images.checkAll() }
    #expect(error.path == "img2")
  }

  @Test("xflip adds a mirror image of the same class for every image", arguments: [1 << 20, 0])
  func mirrored(cacheBytes: Int) throws {
    let source = try SmallFiles(3, channels: 3, labels: Self.labels(3)).opened()[0]
    let images = try TrainingImages(ImageDataset(source, cacheBytes: cacheBytes), xflip: true, device: .cpu)
    #expect(images.count == 6)
    let (pixels, classes) = try images.batch([1, 4, 5])
    #expect(try classes.array(Int.self) == [1, 1, 2])
    let values = try pixels.array(Float.self)
    for start in stride(from: 0, to: 192, by: 8) {  // Rows of image 1 and of its mirror image.
      let row = Array(values[start..<start + 8])
      let mirrored = Array(values[192 + start..<200 + start])
      #expect(mirrored == row.reversed())
    }
    #expect(try values == images.batch([1, 4, 5]).images.array(Float.self))
    #expect(abs(values[0] - (Float(testImage(1, channels: 3).pixels[0]) / 127.5 - 1)) < 1e-6)
  }

  @Test("prefetching returns the requested batches: in order, out of order, and after resuming")
  func readAhead() throws {
    let source = try SmallFiles(20, labels: Self.labels(20)).opened()[0]
    let inMemory = try TrainingImages(ImageDataset(source), xflip: true, device: .cpu)
    let decoded = try TrainingImages(ImageDataset(source, cacheBytes: 0), xflip: true, device: .cpu)
    var order = BatchOrder(count: 40, seed: 3)
    func expectEqual(_ indices: [Int]) throws {
      let (one, other) = (try inMemory.batch(indices), try decoded.batch(indices))
      #expect(try one.images.array(Float.self) == other.images.array(Float.self))
      #expect(try one.classes.array(Int.self) == other.classes.array(Int.self))
    }
    decoded.follow(order, batch: 6)
    for _ in 0..<10 { try expectEqual(order.next(6)) }
    try expectEqual([0, 39, 5])
    for _ in 0..<10 { try expectEqual(order.next(6)) }
    decoded.follow(BatchOrder(resuming: order.state), batch: 6)
    for _ in 0..<10 { try expectEqual(order.next(6)) }
  }

  @Test("a damaged prefetched image is an error when its batch is requested")
  func damagedPrefetch() throws {
    var files = try SmallFiles(8)
    files.files[5].content = Data("no image".utf8)
    let images = try TrainingImages(ImageDataset(files.opened()[0], cacheBytes: 0), device: .cpu)
    var order = BatchOrder(count: 8, seed: 0)
    images.follow(order, batch: 4)
    #expect(throws: FileError.self) { for _ in 0..<4 { _ = try images.batch(order.next(4)) } }
  }
}
