import DDN
import Torch

/// A transform code: principal components of training images, each quantized with a whole number of bits.
///
/// The baseline of any engineer: bits go where they lower the error of the training images most, a discrete form of
/// reverse water-filling, and each component has the quantizer of least error, found by Lloyd's algorithm.
/// Source: Gersho and Gray, Vector Quantization and Signal Compression (1992), sections 8.3 to 8.6.
public struct PCACode {
  /// The most values per image, C x H x W.
  public static let maxValues = PrincipalAxes.maxValues

  /// The component that each further bit refines.
  public let componentOfBit: [Int]
  /// The variance of every component of the training images, descending, in units of [-1, 1] squared.
  public let variances: [Double]
  private let imageShape: [Int]
  /// `[1, D]` and `[D, k]` float32.
  private let mean: Tensor
  private let components: Tensor
  /// `[k]`, by number of bits.
  private let quantizers: [[ScalarQuantizer]]

  private static let bucketOperator = Operator("aten::bucketize", "Tensor")
  private static let maxBitsPerComponent = 10

  /// Fits the code.
  ///
  /// - Parameters:
  ///   - source: training images, of at most `maxValues` values.
  ///   - count: how many to read, from the first.
  ///   - bits: the most that images will be coded with, at least 0.
  ///   - progress: called with the share that is done; throwing stops the fit.
  /// - Throws: what the source and `progress` throw; `TorchError`.
  public init(
    fitting source: any EncodingSource, count: Int, bits: Int, progress: (Double) throws -> Void = { _ in }
  ) throws {
    precondition(count > 0 && count <= source.count, "\(count) of \(source.count) images cannot be read")
    let axes = try PrincipalAxes(of: source, count: count) { try progress(0.7 * $0) }
    imageShape = Array(try source.images(in: 0..<1).images.shape[1...])
    variances = axes.variances

    // One bit divides an error by at most four, so no other component can get one.
    let level = ReverseWaterFilling(variances: variances, bits: Double(bits)).waterLevel
    let kept = max(1, min(variances.count { $0 > level / 4 }, max(bits, 1)))
    let (mean, components) = (axes.mean, try axes.vectors.slice(1, 0..<kept).contiguous())
    var coefficients: [Tensor] = []
    for first in stride(from: 0, to: count, by: Self.batch) {
      let end = min(first + Self.batch, count)
      let images = try source.images(in: first..<end).images.reshaped([end - first, -1])
      coefficients.append(try (images - mean).matmul(components))
      try progress(0.7 + 0.2 * Double(end) / Double(count))
    }
    let columns = try Tensor.concatenate(coefficients).transposed(0, 1).contiguous()  // [k, N]
    var fits: [ComponentFit] = []
    for component in 0..<kept {
      fits.append(
        ComponentFit(SortedNumbers(try columns.select(0, component).array()), maxBits: Self.maxBitsPerComponent))
    }
    componentOfBit = Self.allocate(bits, among: &fits)
    quantizers = fits.map(\.quantizers)
    (self.mean, self.components) = (mean, components)
    try progress(1)
  }

  private static let batch = 1024

  /// Gives each bit to the component whose error it lowers most.
  private static func allocate(_ bits: Int, among fits: inout [ComponentFit]) -> [Int] {
    var gains = fits.indices.map { fits[$0].nextGain }
    return (0..<bits).compactMap { _ in
      let best = gains.indices.max { gains[$0] < gains[$1] }!
      guard gains[best] > 0 else { return nil }
      fits[best].addBit()
      gains[best] = fits[best].nextGain
      return best
    }
  }

  /// Bits of each component at a total rate.
  ///
  /// - Parameter bits: in total; those beyond `componentOfBit` lower no error and are unused.
  public func allocation(bits: Int) -> [Int] {
    componentOfBit.prefix(bits).reduce(into: [Int](repeating: 0, count: quantizers.count)) { $0[$1] += 1 }
  }

  /// Codes images and decodes them.
  ///
  /// - Parameters:
  ///   - images: `[B, C, H, W]` of the training images' shape.
  ///   - rates: bits per image; at most those that the code was fitted for.
  /// - Returns: for each rate `[B, C, H, W]`.
  /// - Throws: `TorchError`.
  public func reconstructions(of images: Tensor, bits rates: [Int]) throws(TorchError) -> [Tensor] {
    precondition(
      Array(images.shape[1...]) == imageShape, "images of \(images.shape) do not fit a code of \(imageShape)")
    let count = images.shape[0]
    let coefficients = try (images.reshaped([count, -1]).to(.float32) - mean).matmul(components)
    var results: [Tensor] = []
    for bits in rates {
      let allocation = allocation(bits: bits)
      let used = allocation.lastIndex { $0 > 0 } ?? 0
      var columns: [Tensor] = []
      for component in 0...used {
        columns.append(
          try quantized(coefficients.select(1, component), quantizers[component][allocation[component]]))
      }
      let decoded = try Tensor.stack(columns, dimension: 1).matmul(components.slice(1, 0..<used + 1).transposed(0, 1))
      results.append(try (decoded + mean).reshaped([count] + imageShape))
    }
    return results
  }

  /// `[B]`, the nearest levels.
  private func quantized(_ numbers: Tensor, _ quantizer: ScalarQuantizer) throws(TorchError) -> Tensor {
    func tensor(_ values: [Double]) throws(TorchError) -> Tensor {
      try Tensor(values, shape: [values.count]).to(.float32).to(numbers.device)
    }
    let places = try Self.bucketOperator.tensor(.tensor(numbers.contiguous()), .tensor(tensor(quantizer.thresholds)))
    return try tensor(quantizer.levels).gathered(places)
  }
}

/// A component's quantizers of 0 bits, 1 bit and so on.
private struct ComponentFit {
  private let numbers: SortedNumbers
  private let maxBits: Int
  /// By number of bits, one more than is used.
  private(set) var quantizers: [ScalarQuantizer] = []
  private var errors: [Double] = []

  init(_ numbers: SortedNumbers, maxBits: Int) {
    self.numbers = numbers
    self.maxBits = maxBits
    addBit()
    addBit()
  }

  /// By how much a further bit lowers the error; 0 for no more bits.
  var nextGain: Double { errors.count > maxBits ? 0 : errors[errors.count - 2] - errors[errors.count - 1] }

  mutating func addBit() {
    let start = ScalarQuantizer.gaussian(
      bits: quantizers.count, mean: numbers.mean, deviation: numbers.variance.squareRoot())
    quantizers.append(ScalarQuantizer(fitting: numbers, from: start))
    errors.append(numbers.error(of: quantizers.last!))
  }
}
