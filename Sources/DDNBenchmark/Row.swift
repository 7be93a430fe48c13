import Foundation
import Torch

/// One line of the benchmark: work that this program and the original do with the same inputs.
///
/// Rows are defined only here; the original's side reads them from the case file.
public struct Row: Encodable, Sendable {
  /// The unit of a row's result.
  public enum Unit: String, Encodable, Sendable {
    case milliseconds = "ms"
    case seconds = "s"
    case imagesPerSecond = "images/s"
    case samplesPerSecond = "samples/s"

    /// - Parameters:
    ///   - seconds: duration of one run.
    ///   - images: images of one run.
    public func value(seconds: Double, images: Int) -> Double {
      switch self {
      case .milliseconds: seconds * 1000
      case .seconds: seconds
      case .imagesPerSecond, .samplesPerSecond: Double(images) / seconds
      }
    }
  }

  public enum Work: Encodable, Sendable {
    case layer(LayerWork)
    case network(NetworkWork)
    case pyramid(PyramidWork)
    case guide(GuideWork)
    case process(ProcessWork)
    case density(DensityWork)
    case coding(CodingWork)
    case search(SearchWork)

    private enum Kind: String, CodingKey { case layer, network, pyramid, guide, process, density, coding, search }

    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Kind.self)
      switch self {
      case .layer(let work): try container.encode(work, forKey: .layer)
      case .network(let work): try container.encode(work, forKey: .network)
      case .pyramid(let work): try container.encode(work, forKey: .pyramid)
      case .guide(let work): try container.encode(work, forKey: .guide)
      case .process(let work): try container.encode(work, forKey: .process)
      case .density(let work): try container.encode(work, forKey: .density)
      case .coding(let work): try container.encode(work, forKey: .coding)
      case .search(let work): try container.encode(work, forKey: .search)
      }
    }
  }

  public let name: String
  public let unit: Unit
  /// Images, or samples of a density, of one run.
  public let images: Int
  /// The goal for this program's speed relative to the original's.
  public let wantedRatio: Double
  /// The goal where both compute in bfloat16; nil for the same.
  public let wantedRatioInBfloat16: Double?
  public let work: Work

  init(_ work: LayerWork, wanted wantedRatio: Double) {
    self.init(name: work.name, unit: .milliseconds, images: work.batch, wantedRatio, .layer(work))
  }

  init(_ work: NetworkWork, wanted wantedRatio: Double) {
    self.init(name: work.name, unit: .imagesPerSecond, images: work.imagesPerRun, wantedRatio, .network(work))
  }

  init(_ work: PyramidWork, wanted wantedRatio: Double, inBfloat16: Double? = nil) {
    self.init(
      name: work.name, unit: .imagesPerSecond, images: work.batch, wantedRatio, inBfloat16: inBfloat16, .pyramid(work))
  }

  init(_ work: GuideWork, wanted wantedRatio: Double) {
    self.init(name: work.name, unit: .imagesPerSecond, images: work.batch, wantedRatio, .guide(work))
  }

  init(_ work: ProcessWork, wanted wantedRatio: Double) {
    self.init(name: work.name, unit: .seconds, images: work.images, wantedRatio, .process(work))
  }

  init(_ work: DensityWork, wanted wantedRatio: Double) {
    self.init(name: work.name, unit: .samplesPerSecond, images: work.samples, wantedRatio, .density(work))
  }

  init(_ work: CodingWork, wanted wantedRatio: Double) {
    self.init(name: work.name, unit: .imagesPerSecond, images: work.images, wantedRatio, .coding(work))
  }

  /// Rows without an original to compare with.
  init(_ work: SearchWork) { self.init(name: work.name, unit: .milliseconds, images: 1, 1, .search(work)) }

  private init(
    name: String, unit: Unit, images: Int, _ wantedRatio: Double, inBfloat16: Double? = nil, _ work: Work
  ) {
    (self.name, self.unit, self.images, self.work) = (name, unit, images, work)
    (self.wantedRatio, wantedRatioInBfloat16) = (wantedRatio, inBfloat16)
  }

  /// Does the work that is not timed.
  public func prepare(_ machine: Machine) throws -> PreparedRow {
    switch work {
    case .layer(let work): try work.prepare(machine)
    case .network(let work): try work.prepare(machine)
    case .pyramid(let work): try work.prepare(machine)
    case .guide(let work): try work.prepare(machine)
    case .process(let work): try work.prepare(machine)
    case .density(let work): work.prepare(machine)
    case .coding(let work): try work.prepare(machine)
    case .search(let work): work.prepare()
    }
  }
}

/// A row that is ready to run.
public struct PreparedRow {
  /// Inputs for the original and this program's results, by their names in the case file: `weights.` and the original's
  /// name of a parameter, `input.` and `expected.`
  let makeCase: () throws -> [String: Tensor]
  /// One run.
  let run: () throws -> Void
}

/// The device and precision of rows.
public struct Machine: Sendable {
  public let device: Device
  public let precision: Precision

  public init(device: Device, precision: Precision = .float32) {
    (self.device, self.precision) = (device, precision)
  }

  /// Mean seconds of consecutive runs, including the device's work.
  public func time(_ row: PreparedRow, runs: Int = 1) throws -> Double {
    try finish()
    return try ContinuousClock().measure {
      // Only timed runs have another precision than float32. Every run casts its weights, like the original's.
      for _ in 0..<runs { try withPrecision(precision, on: device) { try row.run() } }
      try finish()
    } / .seconds(1) / Double(runs)
  }

  /// Synchronizes with the device.
  private func finish() throws {
    if device != .cpu { _ = try Tensor.zeros([1], device: device).item() }
  }
}
