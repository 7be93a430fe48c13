import Torch

/// Which of a data set's images are measured.
public enum ImageSubset {
  /// The indices of `number` of `count` images, in ascending order: all, or the first of a shuffle.
  ///
  /// The shuffle is `numpy.random.RandomState(seed).shuffle`, so that the original's evaluation takes the same images.
  ///
  /// - Parameters:
  ///   - count: of the images.
  ///   - number: how many to take, at most `count`.
  ///   - seed: of the shuffle; 31 bits count.
  public static func indices(count: Int, number: Int, seed: UInt64) -> [Int] {
    precondition((0...count).contains(number), "\(number) of \(count) images")
    guard number < count else { return Array(0..<count) }
    var generator = MersenneTwister(seed: seed & 0x7FFF_FFFF)
    var order = Array(0..<count)
    for place in stride(from: count - 1, to: 0, by: -1) { order.swapAt(place, generator.below(place + 1)) }
    return order.prefix(number).sorted()
  }
}
