import Torch

/// The endless order in which a training run sees its images: shuffled once, then reshuffled as it goes.
///
/// Each image that was passed changes places with a random one of the half data set before it, so that rounds differ
/// while an image rarely comes twice in short succession. All ranks make the same draws and each takes every
/// `ranks`-th image.
///
/// - Source: the original's `InfiniteSampler` with its window of 0.5; the same seed gives the same order.
public struct BatchOrder: Sendable {
  /// A place in the order, small enough for any checkpoint: the order itself is found again by repeating the draws.
  public struct State: Codable, Equatable, Sendable {
    public let seed: UInt64
    /// Images in the data set.
    public let count: Int
    /// Images that each rank has seen.
    public let drawn: Int
  }

  /// Images given to this rank so far.
  public private(set) var drawn = 0

  private let seed: UInt64
  private let rank: Int
  private let ranks: Int
  /// How far back an image may be moved.
  private let window: Int
  private var order: [Int]
  private var generator: MersenneTwister
  /// Images passed by all ranks together.
  private var passed = 0

  /// - Parameters:
  ///   - count: images in the data set, 1 to 2^32.
  ///   - seed: the low 32 bits count.
  ///   - rank: this process's number, in `0..<ranks`.
  ///   - ranks: how many processes share the order.
  public init(count: Int, seed: UInt64, rank: Int = 0, ranks: Int = 1) {
    precondition(count >= 1, "an order needs an image")
    precondition((0..<ranks).contains(rank), "rank \(rank) of \(ranks)")
    self.seed = seed
    self.rank = rank
    self.ranks = ranks
    window = Int((Double(count) / 2).rounded(.toNearestOrEven))
    generator = MersenneTwister(seed: seed)
    order = Self.shuffled(count, &generator)
  }

  /// Continues where `state` was taken, with as many ranks as then.
  ///
  /// Repeats every draw since the start, which keeps the state tiny and costs some seconds per hundred million images.
  public init(resuming state: State, rank: Int = 0, ranks: Int = 1) {
    self.init(count: state.count, seed: state.seed, rank: rank, ranks: ranks)
    while drawn < state.drawn { _ = nextIndex() }
  }

  public var state: State { State(seed: seed, count: order.count, drawn: drawn) }

  /// The indices of this rank's next `batch` images.
  public mutating func next(_ batch: Int) -> [Int] {
    var indices: [Int] = []
    indices.reserveCapacity(batch)
    for _ in 0..<batch { indices.append(nextIndex()) }
    return indices
  }

  private mutating func nextIndex() -> Int {
    while true {
      let place = passed % order.count
      let index = order[place]
      let isMine = passed % ranks == rank
      if window >= 2 {
        let back = (place - generator.below(window) + order.count) % order.count
        order.swapAt(place, back)
      }
      passed += 1
      if isMine {
        drawn += 1
        return index
      }
    }
  }

  /// The numbers below `count` as `RandomState.shuffle` leaves them.
  static func shuffled(_ count: Int, _ generator: inout MersenneTwister) -> [Int] {
    var order = Array(0..<count)
    for place in stride(from: count - 1, to: 0, by: -1) { order.swapAt(place, generator.below(place + 1)) }
    return order
  }
}

extension BatchOrder.State {
  /// - Throws: `DecodingError` for a count or a number of images that no order has.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    seed = try values.decode(UInt64.self, forKey: .seed)
    count = try values.decode(Int.self, forKey: .count)
    drawn = try values.decode(Int.self, forKey: .drawn)
    guard (1...1 << 32).contains(count) else {
      throw DecodingError.dataCorruptedError(
        forKey: .count, in: values, debugDescription: "an order of \(count) images; it needs 1 to 2^32")
    }
    guard drawn >= 0 else {
      throw DecodingError.dataCorruptedError(
        forKey: .drawn, in: values, debugDescription: "\(drawn) images were seen; it cannot be negative")
    }
  }
}
