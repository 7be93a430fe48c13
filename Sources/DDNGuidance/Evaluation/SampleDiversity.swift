import Images

/// How much samples of one target differ: the mean squared difference of two samples, in gray levels squared.
public struct SampleDiversity: Sendable, Codable {
  private var count = 0
  private var sums: [Int] = []
  private var squares = 0
  private var total = 0.0
  private var targets = 0

  public init() {}

  /// Adds a sample of the current target.
  public mutating func add(_ sample: Bitmap) {
    if sums.isEmpty { sums = Array(repeating: 0, count: sample.pixels.count) }
    for (place, pixel) in sample.pixels.enumerated() {
      sums[place] += Int(pixel)
      squares += Int(pixel) * Int(pixel)
    }
    count += 1
  }

  /// Goes on to the next target.
  public mutating func finishTarget() {
    if count > 1 {
      // The differences of all pairs, each pair once: n sum x^2 - (sum x)^2.
      let pairs = Double(count * (count - 1)) / 2 * Double(sums.count)
      total += Double(count * squares - sums.reduce(0) { $0 + $1 * $1 }) / pairs
      targets += 1
    }
    (count, sums, squares) = (0, [], 0)
  }

  /// Adds the targets of another measure, all finished.
  public mutating func add(_ other: SampleDiversity) {
    precondition(count == 0 && other.count == 0, "a target is not finished")
    total += other.total
    targets += other.targets
  }

  /// The mean over targets; nil for targets of one sample.
  public var mean: Double? { targets > 0 ? total / Double(targets) : nil }
}
