import Foundation

/// Divergences of a histogram of points from a density.
public struct Divergences: Codable, Sendable, Equatable {
  /// Kullback-Leibler divergence of the points from the density, in nats.
  ///
  /// A point in a bin of zero weight contributes about 60 nats times its share.
  public let kl: Double
  /// Jensen-Shannon divergence, in bits, 0...1.
  public let js: Double
  /// Total variation distance, 0...1.
  public let tv: Double
  /// Hellinger distance, 0...1.
  public let hellinger: Double

  /// - Parameters:
  ///   - points: at least one, equally weighted.
  ///   - map: the true density.
  public init(of points: [SIMD2<Float>], from map: DensityMap) {
    precondition(!points.isEmpty, "divergences need at least one point")
    let shares = map.histogram(points).map { Double($0) / Double(points.count) }
    var (kl, js, tv, hellinger) = (0.0, 0.0, 0.0, 0.0)
    for (share, probability) in zip(shares, map.probabilities) {
      let mean = (share + probability) / 2
      if share > 0 {
        kl += share * log(share / probability)
        js += share * log(share / mean) / 2
      }
      js += probability * log(probability / mean) / 2
      tv += abs(share - probability) / 2
      hellinger += pow(share.squareRoot() - probability.squareRoot(), 2) / 2
    }
    self.kl = kl
    self.js = js / log(2)
    self.tv = tv
    self.hellinger = hellinger.squareRoot()
  }
}
