import Archives
import DDNFiles
import Foundation

/// What tells a data set from another: how many images of which shape, their names, classes, and pixels.
///
/// It does not depend on where the data set lies.
public struct DatasetFingerprint: Codable, Sendable, Equatable {
  public let images: Int
  /// Channels, height and width.
  public let shape: [Int]
  /// CRC-32 of all names, in order.
  public let names: UInt32
  /// CRC-32 of all classes, in order; nil when images have none.
  public let labels: UInt32?
  /// CRC-32 of the pixels of up to 1,024 images, spread evenly.
  public let pixels: UInt32

  private static let mostSampled = 1024

  /// - Throws: `FileError` naming an image that cannot be decoded.
  public init(_ dataset: ImageDataset) throws(FileError) {
    images = dataset.count
    shape = dataset.imageShape
    names = Checksum.crc32(Data((0..<dataset.count).map { dataset.name(of: $0) + "\n" }.joined().utf8))
    labels = dataset.labels.map { Checksum.crc32(Data($0.map { "\($0)\n" }.joined().utf8)) }
    let sampled = min(dataset.count, Self.mostSampled)
    var checksums: [UInt8] = []
    for start in stride(from: 0, to: sampled, by: 64) {
      let indices = (start..<min(start + 64, sampled)).map { $0 * dataset.count / sampled }
      let sum = Checksum.crc32(Data(try dataset.pixels(of: indices)))
      withUnsafeBytes(of: sum.littleEndian) { checksums += $0 }
    }
    pixels = Checksum.crc32(Data(checksums))
  }

  /// The first difference from `other`, which was taken earlier, in words; nil when there is none.
  public func difference(from other: Self) -> String? {
    if images != other.images { return "has \(images) images, and had \(other.images)" }
    if shape != other.shape { return "has images of \(words(shape)), and had \(words(other.shape))" }
    if names != other.names { return "has images of other names" }
    if labels != other.labels { return "has other classes" }
    return pixels == other.pixels ? nil : "has images of the same names with other pixels"
  }

  private func words(_ shape: [Int]) -> String { "\(shape[2]) x \(shape[1]) \(shape[0] == 1 ? "gray" : "RGB")" }
}
