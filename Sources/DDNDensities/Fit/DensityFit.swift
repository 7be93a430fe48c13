import DDN

/// Fits K nodes of two parameters to a density: the method without a network.
///
/// Every sample goes to its nearest node, which moves towards it; Split-and-Prune gives the place of nodes that no sample
/// comes near to copies of those that get too many. In the end every node stands for about the same probability, so
/// the nodes are a sample of the density themselves.
///
/// Source: paper, section 3.2, Figures 5 and 19; the original program's example.
public struct DensityFit {
  public struct Options: Codable, Sendable, Equatable {
    /// K, at least 1.
    public var nodes: Int
    /// Samples a step; after each step Split-and-Prune splits at most one node.
    public var batch: Int
    /// How far the nearest node goes towards a sample, as a share of the way: the original's learning rate of 0.2,
    /// doubled by the gradient of the square.
    public var stride: Double
    public var distance: DistanceMeasure
    public var split: SplitPolicy
    public var seed: UInt64

    public init(
      nodes: Int = 10_000, batch: Int = 40, stride: Double = 0.4, distance: DistanceMeasure = .l2,
      split: SplitPolicy = SplitPolicy(), seed: UInt64 = 0
    ) {
      precondition(nodes >= 1 && batch >= 1, "a fit needs at least one node and one sample a step")
      self.nodes = nodes
      self.batch = batch
      self.stride = stride
      self.distance = distance
      self.split = split
      self.seed = seed
    }
  }

  public let options: Options
  /// `[K]`, where the nodes are, all within the square.
  public private(set) var nodes: [SIMD2<Float>]
  /// Splits so far.
  public private(set) var splits = 0
  private var generator: SplitMix64

  /// Nodes anywhere in the square, by chance.
  public init(_ options: Options) {
    self.options = options
    var places = SplitMix64(seed: options.seed, stream: 0)
    nodes = (0..<options.nodes).map { _ in places.unitPoint() * 2 - 1 }
    generator = SplitMix64(seed: options.seed, stream: 1)
  }

  /// Trains on `samples` draws from a density, with statistics that begin anew.
  public mutating func train(on map: DensityMap, samples: Int) {
    train(on: map, samples: samples, observations: 1) { _, _ in }
  }

  /// The same, watched.
  ///
  /// - Parameter observe: sees the samples so far and where the nodes are, as often as `observations` says, evenly spread
  ///   and at the end; what it throws ends the training.
  public mutating func train(
    on map: DensityMap, samples: Int, observations: Int,
    observe: (_ samples: Int, _ nodes: () -> [SIMD2<Float>]) throws -> Void
  ) rethrows {
    switch options.distance {
    case .l1: try train(map, samples, observations, observe, by: Manhattan.self)
    case .l2: try train(map, samples, observations, observe, by: SquaredEuclidean.self)
    }
  }

  /// What `train` would draw next, without drawing it.
  public func upcomingSamples(_ count: Int, of map: DensityMap) -> [SIMD2<Float>] {
    let sampler = DensitySampler(map)
    var generator = generator
    return (0..<count).map { _ in sampler.draw(&generator) }
  }

  private mutating func train<Measure: Distance>(
    _ map: DensityMap, _ samples: Int, _ observations: Int,
    _ observe: (Int, () -> [SIMD2<Float>]) throws -> Void, by measure: Measure.Type
  ) rethrows {
    let grid = NodeGrid<Measure>(nodes, crowding: map.crowding)
    let sampler = DensitySampler(map)
    let splitting = options.nodes > 1 && options.split.rule != .none
    var statistics = SparseNodeStatistics(nodes: nodes.count)
    let step = Float(options.stride)
    var batch: [(sample: SIMD2<Float>, pair: NodeGrid<Measure>.NearestPair)] = []
    batch.reserveCapacity(options.batch)
    var seen = 0
    var observed = 0
    while seen < samples {
      batch.removeAll(keepingCapacity: true)
      for _ in 0..<min(options.batch, samples - seen) {
        let sample = sampler.draw(&generator)
        grid.prefetch(around: sample)
        batch.append((sample, .init(nearest: 0, second: 0)))
      }
      for index in batch.indices {
        let pair = grid.nearestPair(to: batch[index].sample)
        batch[index].pair = pair
        if splitting { statistics.prefetch(nearest: Int(pair.nearest), second: Int(pair.second)) }
      }
      if splitting {
        for (_, pair) in batch { statistics.prefetchRivals(nearest: Int(pair.nearest), second: Int(pair.second)) }
      }
      for (sample, pair) in batch {
        let node = grid[pair.nearest]
        grid.move(pair.nearest, to: node + step * (sample - node))
        if splitting { statistics.record(nearest: Int(pair.nearest), second: Int(pair.second)) }
      }
      seen += batch.count
      if splitting, let split = options.split.decide(statistics) {
        statistics.split(donor: split.donor, pruned: split.pruned, rule: options.split.rule)
        grid.move(Int32(split.pruned), to: grid[Int32(split.donor)])
        splits += 1
      }
      if seen * observations >= (observed + 1) * samples {
        observed = seen * observations / samples
        try observe(seen) { grid.positions }
      }
    }
    nodes = grid.positions
  }
}

extension DensityMap {
  /// How many times denser than in a uniform map the samples lie around the average sample; at least 1.
  var crowding: Double { probabilities.reduce(0) { $0 + $1 * $1 } * Double(probabilities.count) }
}
