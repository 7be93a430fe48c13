import ArchivesSupport
import DDNFiles
import Foundation
import Images
import Testing

@testable import DDNData

@Suite("DatasetConversion and DatasetSummary")
struct DatasetConversionTests {
  private static let labels = #"{"labels": [["img0.png", 2], ["img1.png", 0], ["img2.png", 1]]}"#

  @Test("a zip file and a folder hold the same images and classes in EDM's layout, deterministically")
  func layout() throws {
    let source = try SmallFiles(3, channels: 3, labels: Self.labels).opened()[0]
    try withTemporaryFolder { (folder) throws in
      let places = ["1.zip", "2.zip", "deeper/folder"].map { folder.appendingPathComponent($0) }
      for place in places {
        let report = try DatasetConversion().write(source, to: place)
        #expect((report.images, report.side, report.channels) == (3, 8, 3) && report.skipped.isEmpty)
        let written = try openImages(place)
        #expect(written.labels == [2, 0, 1])
        let names = (0..<3).map { written.name(of: $0) }
        #expect(names == ["00000/img00000000.png", "00000/img00000001.png", "00000/img00000002.png"])
        for index in 0..<3 {
          #expect(try written.bitmap(index, channels: .asStored) == testImage(index, channels: 3))
        }
      }
      #expect(try Data(contentsOf: places[0]) == Data(contentsOf: places[1]))
      #expect(try Folder.names(in: folder) == ["1.zip", "2.zip", "deeper"])
      #expect(DatasetConversion.name(of: 12_345) == "00012/img00012345.png")
    }
  }

  @Test("maxImages limits the number of images; without classes there are no labels")
  func first() throws {
    let source = try SmallFiles(5).opened()[1]
    try withTemporaryFolder { (folder) throws in
      let place = folder.appendingPathComponent("a.zip")
      #expect(try DatasetConversion(maxImages: 2).write(source, to: place).images == 2)
      let written = try openImages(place)
      #expect(written.count == 2 && written.labels == nil)
    }
  }

  @Test("unusable images are listed and skipped with their labels; strict stops at the first")
  func skipped() throws {
    var files = try SmallFiles(3, labels: Self.labels)
    files.files[1].content = files.files[1].content.prefix(50)
    let source = try files.opened()[0]
    try withTemporaryFolder { (folder) throws in
      let place = folder.appendingPathComponent("a.zip")
      let report = try DatasetConversion().write(source, to: place)
      #expect(report.images == 2 && report.skipped.map(\.path).map { $0.hasSuffix("/img1.png") } == [true])
      #expect(try openImages(place).labels == [2, 1])
      let strict = folder.appendingPathComponent("b.zip")
      let error = try #require(throws: FileError.self) {
        try DatasetConversion(isStrict: true).write(source, to: strict)
      }
      #expect(error.path.hasSuffix("/img1.png"))
      files.files.removeFirst()
      files.files[0].content = Data()
      files.files.removeLast(2)
      let bad = try files.opened()[0]
      #expect(throws: FileError.self) { try DatasetConversion().write(bad, to: strict) }
      #expect(try Folder.names(in: folder) == ["a.zip"])
    }
  }

  @Test(
    "a stopped conversion leaves nothing, and existing files are not replaced", arguments: ["a.zip", "a"])
  func atomic(name: String) throws {
    let source = try SmallFiles(3).opened()[0]
    try withTemporaryFolder { (folder) throws in
      let place = folder.appendingPathComponent(name)
      #expect(throws: DatasetConversion.Stopped.self) {
        try DatasetConversion().write(source, to: place, shouldStop: { true })
      }
      #expect(try Folder.names(in: folder) == [])
      if name == "a" { try Folder.create(place) }
      _ = try DatasetConversion().write(source, to: place)
      let error = try #require(throws: FileError.self) { try DatasetConversion().write(source, to: place) }
      #expect(error.kind == .failed && error.problem.contains("already"))
    }
  }

  @Test("different sizes and channels are errors, unless converted")
  func mixed() throws {
    var files = try SmallFiles()
    try files.add("a.png", testImage(0))
    try files.add("b.png", testImage(1, width: 24, height: 16))
    try files.add("c.png", testImage(2, channels: 3))
    let source = try files.opened()[0]
    try withTemporaryFolder { (folder) throws in
      func problem(_ conversion: DatasetConversion) throws -> String {
        try #require(throws: FileError.self) {
          try conversion.write(source, to: folder.appendingPathComponent("x.zip"))
        }.description
      }
      #expect(try problem(DatasetConversion()).contains("b.png: is 24 x 16 gray, and the images before it 8 x 8"))
      let small = ImageTransform(width: 4, height: 4)
      #expect(
        try problem(DatasetConversion(transform: small)).contains("c.png: is RGB, and the images before it are gray"))
      let place = folder.appendingPathComponent("y.zip")
      let report = try DatasetConversion(transform: small, channels: .gray).write(source, to: place)
      #expect((report.images, report.side, report.channels) == (3, 4, 1))
    }
  }

  @Test("crops keep the central square, or a wide part padded with black")
  func crops() throws {
    // Columns 0...3 black, 4...11 white, 12...15 black.
    let striped = Bitmap(
      width: 16, height: 8, channels: 1, pixels: (0..<128).map { (4..<12).contains($0 % 16) ? 255 : 0 })
    let square = ImageTransform(width: 4, height: 4, crop: .square, filter: .box)
    #expect(try square(striped) == Bitmap(width: 4, height: 4, channels: 1, shade: 255))
    let stretched = ImageTransform(width: 4, height: 4, filter: .box)
    let narrow = try stretched(striped).pixels
    #expect(narrow == [0, 255, 255, 0, 0, 255, 255, 0, 0, 255, 255, 0, 0, 255, 255, 0])
    let wide = ImageTransform(width: 8, height: 4, crop: .wide, filter: .box)
    let pixels = try wide(Bitmap(width: 16, height: 12, channels: 1, shade: 255)).pixels
    let black = [UInt8](repeating: 0, count: 16)
    #expect(pixels == black + [UInt8](repeating: 255, count: 32) + black)
    #expect(throws: ImageError.self) { try wide(Bitmap(width: 7, height: 12, channels: 1, shade: 0)) }
    #expect(throws: ImageError.self) { try wide(Bitmap(width: 16, height: 4, channels: 1, shade: 0)) }
    for (width, height, crop) in [(12, 12, nil), (8, 4, nil), (0, 0, nil), (8, 9, .wide)]
      as [(Int, Int, ImageTransform.Crop?)]
    {
      #expect(ImageTransform(width: width, height: height, crop: crop).validationError != nil)
    }
  }

  @Test("a summary has sizes, classes, unreadable images, means and standard deviations")
  func summary() throws {
    var files = try SmallFiles(0, labels: #"{"labels": [["a.png", 0], ["b.png", 2], ["c.png", 2], ["d.png", 2]]}"#)
    try files.add("a.png", Bitmap(width: 4, height: 4, channels: 1, shade: 255))
    try files.add("b.png", Bitmap(width: 4, height: 4, channels: 1, shade: 0))
    try files.add("c.png", Bitmap(width: 8, height: 8, channels: 3, pixels: (0..<192).map { $0 % 3 == 0 ? 255 : 0 }))
    files.files.append(("d.png", Data("no image".utf8)))
    let summary = try DatasetSummary(files.opened()[0])
    #expect(summary.count == 4 && summary.classCounts == [1, 0, 3])
    #expect(summary.kinds.map(\.count) == [2, 1] && summary.kinds[0].kind == .init(width: 4, height: 4, channels: 1))
    #expect(summary.unreadable.map { $0.path.hasSuffix("/d.png") } == [true])
    // 16 white and 16 black gray pixels, 64 red ones.
    let (red, others) = (80.0 / 96, 16.0 / 96)
    #expect(summary.means == [red, others, others])
    let deviation = (5.0 / 36).squareRoot()
    for value in summary.standardDeviations { #expect(abs(value - deviation) < 1e-9) }
  }
}
