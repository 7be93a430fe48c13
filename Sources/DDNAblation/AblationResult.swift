import DDN
import DDNTraining
import Foundation

/// A finished and measured run of an ablation study.
public struct AblationResult: Codable, Sendable, Equatable {
  /// The row's name.
  public let row: String
  /// The row's label.
  public let label: String
  public let seed: UInt64
  /// The run folder's name.
  public let folder: String
  public let parameters: Int
  public let levels: Int
  /// Of a code.
  public let bits: Double
  /// Images trained on, repeats included.
  public let images: Int
  public let trainingSeconds: Double
  /// Of all layers.
  public let splits: Int
  /// Of node use in training, of each layer, in 1...K.
  public let perplexityOfLayers: [Double]
  public let measurement: AblationMeasurement

  /// Without what differs from machine to machine.
  public var withoutTimes: AblationResult {
    AblationResult(
      row: row, label: label, seed: seed, folder: folder, parameters: parameters, levels: levels, bits: bits,
      images: images, trainingSeconds: 0, splits: splits, perplexityOfLayers: perplexityOfLayers,
      measurement: measurement)
  }
}

/// The mean of a number over runs, and its standard deviation.
public struct AblationMean: Sendable, Equatable {
  public let mean: Double
  /// With n - 1; nil for a single run.
  public let deviation: Double?
  public let count: Int

  /// - Parameter values: at least one.
  public init(of values: [Double]) {
    precondition(!values.isEmpty, "no values have no mean")
    count = values.count
    let mean = values.reduce(0, +) / Double(values.count)
    self.mean = mean
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    deviation = values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() : nil
  }

  /// "0.0312 ± 0.0004".
  ///
  /// - Parameter digits: after the point.
  public func text(digits: Int) -> String {
    let format = "%.\(digits)f"
    return String(format: format, mean) + (deviation.map { " ± " + String(format: format, $0) } ?? "")
  }
}
