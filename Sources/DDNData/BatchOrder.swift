import Torch

/// The endless order of a run's training images: shuffled once, then reshuffled within a sliding window.
///
/// A used image swaps with a random one of the preceding half of the data set, so that epochs differ and an image rarely
/// recurs soon. All ranks make the same draws, and each takes every `ranks`-th image.
///
/// - Source: the original's `InfiniteSampler` with its window of 0.5; the same seed gives the same order.
public struct BatchOrder: Sendable {
  /// A position in the order; small, because resuming repeats the draws.
  public struct State: Codable, Equatable, Sendable {
    public let seed: UInt64
    /// Images in the data set.
    public let count: Int
    /// Images drawn by all ranks, at equal numbers on each; the same for any number of ranks.
    public let drawn: Int
  }

  public let rank: Int
  public let ranks: Int
  /// Images drawn by this rank.
  public private(set) var drawn = 0
  private let seed: UInt64
  /// The largest distance of a swap.
  private let window: Int
  private var order: [Int]
  private var generator: MersenneTwister
  /// Images drawn by all ranks.
  private var position = 0

  /// - Parameters:
  ///   - count: images in the data set, 1 to 2^32.
  ///   - seed: only the low 32 bits are used.
  ///   - rank: in `0..<ranks`.
  ///   - ranks: number of processes that share the order.
  public init(count: Int, seed: UInt64, rank: Int = 0, ranks: Int = 1) {
    precondition(count >= 1, "an order needs at least one image")
    precondition((0..<ranks).contains(rank), "rank \(rank) is not within 0..<\(ranks)")
    self.seed = seed
    self.rank = rank
    self.ranks = ranks
    window = Int((Double(count) / 2).rounded(.toNearestOrEven))
    generator = MersenneTwister(seed: seed)
    order = Self.shuffled(count, &generator)
  }

  /// Continues at `state`, on any number of ranks that divides its images.
  ///
  /// Repeats every draw since the start: some seconds per hundred million images.
  public init(resuming state: State, rank: Int = 0, ranks: Int = 1) {
    self.init(count: state.count, seed: state.seed, rank: rank, ranks: ranks)
    precondition(state.drawn % ranks == 0, "\(ranks) ranks do not share \(state.drawn) images equally")
    while drawn < state.drawn / ranks { _ = nextIndex() }
  }

  public var state: State { State(seed: seed, count: order.count, drawn: drawn * ranks) }

  /// The indices of this rank's next `batch` images.
  public mutating func next(_ batch: Int) -> [Int] {
    var indices: [Int] = []
    indices.reserveCapacity(batch)
    for _ in 0..<batch { indices.append(nextIndex()) }
    return indices
  }

  private mutating func nextIndex() -> Int {
    while true {
      let place = position % order.count
      let index = order[place]
      let isMine = position % ranks == rank
      if window >= 2 {
        let back = (place - generator.below(window) + order.count) % order.count
        order.swapAt(place, back)
      }
      position += 1
      if isMine {
        drawn += 1
        return index
      }
    }
  }

  /// `0..<count` in the order of NumPy's `RandomState.shuffle`.
  static func shuffled(_ count: Int, _ generator: inout MersenneTwister) -> [Int] {
    var order = Array(0..<count)
    for place in stride(from: count - 1, to: 0, by: -1) { order.swapAt(place, generator.below(place + 1)) }
    return order
  }
}

extension BatchOrder.State {
  /// - Throws: `DecodingError` for an impossible count.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    seed = try values.decode(UInt64.self, forKey: .seed)
    count = try values.decode(Int.self, forKey: .count)
    drawn = try values.decode(Int.self, forKey: .drawn)
    guard (1...1 << 32).contains(count) else {
      throw DecodingError.dataCorruptedError(
        forKey: .count, in: values, debugDescription: "count \(count) is not within 1...2^32")
    }
    guard drawn >= 0 else {
      throw DecodingError.dataCorruptedError(
        forKey: .drawn, in: values, debugDescription: "drawn \(drawn) is negative")
    }
  }
}
