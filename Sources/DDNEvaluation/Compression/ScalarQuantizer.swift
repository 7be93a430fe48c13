import Foundation

/// Maps a number to the nearest of `2^bits` levels.
///
/// Source: Lloyd, "Least squares quantization in PCM" (1982); Max, "Quantizing for minimum distortion" (1960).
public struct ScalarQuantizer: Sendable, Equatable {
  /// Ascending.
  public let levels: [Double]

  /// Halfway between adjacent levels.
  public var thresholds: [Double] { zip(levels, levels.dropFirst()).map { ($0 + $1) / 2 } }

  /// The best levels for a normal distribution.
  ///
  /// - Parameters:
  ///   - bits: 0...12.
  ///   - mean: of the distribution.
  ///   - deviation: of the distribution.
  public static func gaussian(bits: Int, mean: Double = 0, deviation: Double = 1) -> ScalarQuantizer {
    precondition((0...12).contains(bits), "a quantizer has 0 to 12 bits, not \(bits)")
    return ScalarQuantizer(levels: gaussianLevels[bits].map { mean + deviation * $0 })
  }

  /// Fits levels to numbers: each level becomes the mean of the numbers nearest to it, until nothing improves.
  ///
  /// The error on these numbers is at most that of `start`.
  /// - Parameters:
  ///   - numbers: sorted; at least one.
  ///   - start: the first levels.
  public init(fitting numbers: SortedNumbers, from start: ScalarQuantizer) {
    var (best, error) = (start, numbers.error(of: start))
    for _ in 0..<Self.maxSteps {
      let next = numbers.centered(best)
      let nextError = numbers.error(of: next)
      guard nextError < error else { break }
      let isDone = error - nextError < Self.tolerance * error
      (best, error) = (next, nextError)
      if isDone { break }
    }
    self = best
  }

  init(levels: [Double]) { self.levels = levels }

  private static let maxSteps = 200
  private static let tolerance = 1e-7

  /// For mean 0 and deviation 1, by number of bits.
  private static let gaussianLevels: [[Double]] = (0...12).map { bits in
    let count = 1 << bits
    // Nearly optimal for many levels: those of density f^(1/3), a normal density of deviation sqrt(3).
    var levels = (0..<count).map { 3.0.squareRoot() * quantile((Double($0) + 0.5) / Double(count)) }
    for _ in 0..<2000 {
      let ends = [-Double.infinity] + ScalarQuantizer(levels: levels).thresholds + [.infinity]
      let next = zip(ends, ends.dropFirst()).map { low, high in
        // From the side of the smaller tail, where the difference of the integrals keeps its digits.
        let share = low > 0 ? tail(low) - tail(high) : tail(-high) - tail(-low)
        return (density(low) - density(high)) / share
      }
      let change = zip(levels, next).map { abs($0 - $1) }.max()!
      levels = next
      if change < 1e-12 { break }
    }
    return levels
  }

  private static func density(_ x: Double) -> Double { exp(-x * x / 2) / (2 * Double.pi).squareRoot() }

  /// The probability of more than `x`.
  private static func tail(_ x: Double) -> Double { erfc(x / 2.0.squareRoot()) / 2 }

  /// By bisection.
  private static func quantile(_ probability: Double) -> Double {
    var (low, high) = (-10.0, 10.0)
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if tail(-middle) < probability { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }
}

/// Sorted numbers with the sums that quantizers are fitted by.
public struct SortedNumbers: Sendable {
  private let numbers: [Double]
  /// `[N + 1]`, of the numbers, and of their squares, before each number.
  private let sums: [Double]
  private let squares: [Double]

  /// - Parameter numbers: at least one, in any order.
  public init(_ numbers: [Double]) {
    precondition(!numbers.isEmpty, "there are no numbers to fit a quantizer to")
    self.numbers = numbers.sorted()
    (sums, squares) = self.numbers.reduce(into: ([0.0], [0.0])) { result, number in
      result.0.append(result.0.last! + number)
      result.1.append(result.1.last! + number * number)
    }
  }

  public var count: Int { numbers.count }
  public var mean: Double { sums.last! / Double(count) }
  /// Mean squared difference from the mean.
  public var variance: Double { max(squares.last! / Double(count) - mean * mean, 0) }

  /// The mean squared error of the numbers' nearest levels.
  public func error(of quantizer: ScalarQuantizer) -> Double {
    let sum = zip(cells(of: quantizer), quantizer.levels).reduce(0) { total, cell in
      let ((first, end), level) = cell
      let (sum, square) = (sums[end] - sums[first], squares[end] - squares[first])
      return total + square - 2 * level * sum + level * level * Double(end - first)
    }
    return max(sum, 0) / Double(count)
  }

  /// Each level replaced by the mean of its numbers; one without numbers stays.
  func centered(_ quantizer: ScalarQuantizer) -> ScalarQuantizer {
    ScalarQuantizer(
      levels: zip(cells(of: quantizer), quantizer.levels).map { cell, level in
        cell.end > cell.first ? (sums[cell.end] - sums[cell.first]) / Double(cell.end - cell.first) : level
      })
  }

  /// For each level the range of the numbers nearest to it.
  private func cells(of quantizer: ScalarQuantizer) -> [(first: Int, end: Int)] {
    let ends = quantizer.thresholds.map { firstIndex(above: $0) } + [count]
    return zip([0] + ends, ends).map { ($0, $1) }
  }

  private func firstIndex(above threshold: Double) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if numbers[middle] > threshold { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
