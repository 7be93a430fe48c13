import Archives
import DDNFiles
import Foundation
import Images

/// A data set's identity: image count and shape, and checksums of names, classes and pixels.
///
/// Independent of the data set's location.
public struct DatasetFingerprint: Codable, Sendable, Equatable {
  public let images: Int
  /// Channels, height and width.
  public let shape: [Int]
  /// CRC-32 of all names, in order.
  public let names: UInt32
  /// CRC-32 of all classes, in order; nil when images have none.
  public let labels: UInt32?
  /// CRC-32 of the pixels of up to 1,024 evenly spaced images.
  public let pixels: UInt32

  private static let maxSampled = 1024

  /// - Throws: `FileError` naming an image that cannot be decoded.
  public init(_ dataset: ImageDataset) throws(FileError) {
    images = dataset.count
    shape = dataset.imageShape
    names = Checksum.crc32(Data((0..<dataset.count).map { dataset.name(of: $0) + "\n" }.joined().utf8))
    labels = dataset.labels.map { Checksum.crc32(Data($0.map { "\($0)\n" }.joined().utf8)) }
    let sampled = min(dataset.count, Self.maxSampled)
    var checksums: [UInt8] = []
    for start in stride(from: 0, to: sampled, by: 64) {
      let indices = (start..<min(start + 64, sampled)).map { $0 * dataset.count / sampled }
      let sum = Checksum.crc32(Data(try dataset.pixels(of: indices)))
      withUnsafeBytes(of: sum.littleEndian) { checksums += $0 }
    }
    pixels = Checksum.crc32(Data(checksums))
  }

  /// The first difference from an earlier fingerprint, as a message; nil for none.
  public func difference(from earlier: Self) -> String? {
    if images != earlier.images { return "has \(images) images, and had \(earlier.images)" }
    if shape != earlier.shape { return "has images of \(sizeSummary), and had \(earlier.sizeSummary)" }
    if names != earlier.names { return "has images of other names" }
    if labels != earlier.labels { return "has other classes" }
    return pixels == earlier.pixels ? nil : "has images of the same names with other pixels"
  }

  private var sizeSummary: String { Bitmap.summary(width: shape[2], height: shape[1], channels: shape[0]) }
}
