import DDNFiles
import Foundation
import Images
import Testing

@testable import DDNData

@Suite("DatasetFingerprint") struct DatasetFingerprintTests {
  private static func fingerprint(_ files: SmallFiles, cacheBytes: Int = .max) throws -> [DatasetFingerprint] {
    try files.opened().map { try DatasetFingerprint(ImageDataset($0, cacheBytes: cacheBytes)) }
  }

  @Test("it does not depend on location, packing or caching") func invariance() throws {
    let files = try SmallFiles(5, channels: 3, labels: #"{"labels": null}"#)
    let all = try Self.fingerprint(files) + Self.fingerprint(files, cacheBytes: 0)
    #expect(all.count == 4 && all.allSatisfy { $0 == all[0] })
    #expect(all[0].difference(from: all[1]) == nil)
  }

  @Test("it detects changed counts, shapes, names, classes and pixels") func differences() throws {
    let original = try Self.fingerprint(SmallFiles(4))[0]
    func difference(_ files: SmallFiles) throws -> String? { try Self.fingerprint(files)[0].difference(from: original) }
    #expect(try difference(SmallFiles(3)) == "has 3 images, and had 4")
    #expect(try difference(SmallFiles(4, channels: 3)) == "has images of 8 x 8 RGB, and had 8 x 8 gray")
    var renamed = try SmallFiles(3)
    try renamed.add("img4.png", testImage(3))
    #expect(try difference(renamed) == "has images of other names")
    let labels = #"{"labels": [["img0.png", 0], ["img1.png", 1], ["img2.png", 0], ["img3.png", 1]]}"#
    #expect(try difference(SmallFiles(4, labels: labels)) == "has other classes")
    var changed = try SmallFiles(3)
    try changed.add("img3.png", testImage(7))
    #expect(try difference(changed) == "has images of the same names with other pixels")
  }
}
