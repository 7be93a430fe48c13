import Foundation

/// The best rates of independent Gaussian components for a total rate.
///
/// Components whose variance is above the water level get the bits that bring their error down to it; others get none.
/// Source: Cover and Thomas, Elements of Information Theory, second edition, theorem 10.3.3.
public struct ReverseWaterFilling: Sendable, Equatable {
  /// The error of every component that gets bits.
  public let waterLevel: Double
  /// Bits of each component, in the order of the variances.
  public let rates: [Double]
  /// The squared error of each component; no code of the same rate has a smaller sum.
  public let errors: [Double]

  /// - Parameters:
  ///   - variances: of the components, in any order; at least 0.
  ///   - bits: in total, at least 0.
  public init(variances: [Double], bits: Double) {
    precondition(bits >= 0 && variances.allSatisfy { $0 >= 0 }, "bits and variances are at least 0")
    let sorted = variances.filter { $0 > 0 }.sorted(by: >)
    var (level, sum) = (sorted.first ?? 0, 0.0)
    // The n largest variances share the bits, for the largest n whose level is below all of them.
    for (index, variance) in sorted.enumerated() {
      sum += log2(variance)
      let candidate = exp2((sum - 2 * bits) / Double(index + 1))
      guard candidate <= variance else { break }
      level = candidate
    }
    waterLevel = level
    rates = variances.map { $0 > level ? log2($0 / level) / 2 : 0 }
    errors = variances.map { min($0, level) }
  }
}
