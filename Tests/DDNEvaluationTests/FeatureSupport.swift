import DDNEvaluation
import DDNFiles
import DDNVision
import Foundation
import GoldenSupport
import Images
import Testing
import Torch

/// A detector whose features are the means of image quadrants, in units of 1.
struct QuadrantDetector: FeatureDetector {
  var identity = DetectorIdentity(name: "quadrants", checksum: "1")
  var featureCount: Int { 4 }
  /// Images seen.
  final class Counter { var images = 0 }
  let counter = Counter()

  func features(of pixels: Tensor) throws -> Tensor {
    counter.images += pixels.shape[0]
    return try pixels.to(.float32).mean([1], keepingDimensions: true).resizedArea(height: 2, width: 2)
      .reshaped([-1, 4]) * (1 / 255)
  }
}

/// Rows as features of a temporary file.
struct RowSource: FeatureSource {
  var rows: [[Float]]
  var labels: [Int]?
  var identity = UUID().uuidString
  var name = "rows"
  var count: Int { rows.count }

  func pixels(in range: Range<Int>) throws -> [Tensor] {
    [try Tensor(rows[range].flatMap { $0 }, shape: [range.count, 1, 1, rows[0].count])]
  }

  /// - Parameter cache: nil for a temporary file.
  func features(cache: URL? = nil, batch: Int = 7) throws -> Features {
    try Features(of: self, by: IdentityDetector(featureCount: rows[0].count), cache: cache, batch: batch)
  }

  /// Random rows.
  static func random(_ name: String, _ count: Int, _ features: Int, shift: Float = 0) throws -> RowSource {
    let values: [Float] = try Formula.images(name, [count, features]).array()
    return RowSource(
      rows: (0..<count).map { row in (0..<features).map { values[row * features + $0] + shift } })
  }
}

/// Pixels are features.
struct IdentityDetector: FeatureDetector {
  let identity = DetectorIdentity(name: "pixels", checksum: "0")
  let featureCount: Int
  func features(of pixels: Tensor) throws -> Tensor { try pixels.reshaped([pixels.shape[0], -1]) }
}

/// Writes gray images of noise, named by number.
func writePictures(_ count: Int, side: Int = 8, first: Int = 0, in folder: URL) throws {
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  for number in first..<first + count {
    var generator = SeededGenerator(seed: UInt64(number))
    let pixels = (0..<side * side).map { _ in UInt8(generator.next() >> 56) }
    try Bitmap(width: side, height: side, channels: 1, pixels: pixels).write(
      to: folder.appending(path: String(format: "%04d.png", number)))
  }
}
