import DDN

/// Fits K points in the plane (nodes) to a density: the method without a network.
///
/// Each sample moves its nearest node towards itself; Split-and-Prune replaces rarely chosen nodes by copies of the
/// busiest. Converged nodes have about equal probability, so they are distributed as samples of the density.
///
/// Source: paper, section 3.2, Figures 5 and 19; the original program's example.
public struct DensityFit {
  public struct Options: Codable, Sendable, Equatable {
    /// K, at least 1.
    public var nodes: Int
    /// Samples per step; each step splits at most one node.
    public var batch: Int
    /// Step size, as a fraction of the distance to the sample: twice the original's learning rate of 0.2, for the
    /// gradient of the square.
    public var stride: Double
    public var distance: DistanceMeasure
    public var split: SplitPolicy
    public var seed: UInt64

    public init(
      nodes: Int = 10_000, batch: Int = 40, stride: Double = 0.4, distance: DistanceMeasure = .l2,
      split: SplitPolicy = SplitPolicy(), seed: UInt64 = 0
    ) {
      precondition(nodes >= 1 && batch >= 1, "a fit needs at least one node and one sample per step")
      self.nodes = nodes
      self.batch = batch
      self.stride = stride
      self.distance = distance
      self.split = split
      self.seed = seed
    }
  }

  public let options: Options
  /// `[K]` positions in the square.
  public private(set) var nodes: [SIMD2<Float>]
  /// Splits so far.
  public private(set) var splits = 0
  private var generator: SplitMix64

  /// Starts with uniformly random nodes.
  public init(_ options: Options) {
    self.options = options
    var positions = SplitMix64(seed: options.seed, stream: 0)
    nodes = (0..<options.nodes).map { _ in positions.unitPoint() * 2 - 1 }
    generator = SplitMix64(seed: options.seed, stream: 1)
  }

  /// Trains on `samples` draws from a density, with fresh statistics.
  public mutating func train(on map: DensityMap, samples: Int) {
    train(on: map, samples: samples, observations: 1) { _, _ in }
  }

  /// As `train(on:samples:)`, with progress.
  ///
  /// - Parameters:
  ///   - map: the density to learn.
  ///   - samples: drawn from the map.
  ///   - observations: how often progress is observed.
  ///   - observe: called `observations` times at even intervals, the last time at the end, with the number of samples
  ///     so far and the nodes; throwing aborts.
  public mutating func train(
    on map: DensityMap, samples: Int, observations: Int,
    observe: (_ samples: Int, _ nodes: () -> [SIMD2<Float>]) throws -> Void
  ) rethrows {
    switch options.distance {
    case .l1: try train(map, samples, observations, observe, by: Manhattan.self)
    case .l2: try train(map, samples, observations, observe, by: SquaredEuclidean.self)
    }
  }

  /// The next `count` samples that `train` would draw; the generator's state is unchanged.
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
  /// Mean density at a sample, relative to a uniform map; at least 1.
  var crowding: Double { probabilities.reduce(0) { $0 + $1 * $1 } * Double(probabilities.count) }
}
