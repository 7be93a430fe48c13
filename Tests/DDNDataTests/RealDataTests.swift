import ArchivesSupport
import DDNFiles
import Foundation
import Images
import Testing

@testable import DDNData

private let realData = ProcessInfo.processInfo.environment["DDN_TEST_DATA"].map { URL(fileURLWithPath: $0) }

/// Zip files below the folder `DDN_TEST_DATA`; skipped without it.
@Suite("Real data sets", .enabled(if: realData != nil))
struct RealDataTests {
  private static let archives: [String] = {
    guard let realData, let walk = FileManager.default.enumerator(atPath: realData.path) else { return [] }
    return walk.compactMap { $0 as? String }.filter { $0.hasSuffix(".zip") }
  }()

  @Test("every image decodes to the same size and has a label", arguments: archives)
  func whole(name: String) throws {
    let source = try openImages(realData!.appendingPathComponent(name))
    let images = try ImageDataset(source)
    #expect(images.cachedPixels?.count == images.count * images.imageShape.reduce(1, *))
    #expect(images.labels == nil || images.labels?.count == images.count)
    let decoded = try ImageDataset(source, cacheBytes: 0)
    let some = Array(stride(from: 0, to: images.count, by: 97))
    #expect(try images.pixels(of: some) == decoded.pixels(of: some))
  }

  @Test("a converted data set has the same pixels and classes", arguments: archives)
  func converted(name: String) throws {
    let source = try openImages(realData!.appendingPathComponent(name))
    try withTemporaryFolder { (folder) throws in
      let url = folder.appendingPathComponent("made.zip")
      let report = try DatasetConversion(maxImages: 1500).write(source, to: url)
      #expect(report.images == min(1500, source.count) && report.skipped.isEmpty)
      let converted = try openImages(url)
      #expect(converted.labels == source.labels.map { Array($0.prefix(1500)) })
      for index in stride(from: 0, to: converted.count, by: 50) {
        #expect(try converted.bitmap(index, channels: .asStored) == source.bitmap(index, channels: .asStored))
      }
    }
  }
}
