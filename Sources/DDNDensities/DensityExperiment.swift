import DDN
import Dispatch
import Foundation
import Synchronization

/// The paper's toy experiment: the same nodes with and without Split-and-Prune, beside as many real samples.
///
/// Source: paper, Figures 5 and 19.
public struct DensityExperiment: Sendable {
  public var options: DensityFit.Options
  /// Samples that each density is trained on.
  public var samples: Int
  /// Whether each density begins with new nodes, instead of those that the one before it left.
  public var startsAfresh: Bool
  /// How often the nodes are looked at while they learn one density.
  public var frames: Int

  /// Where some points fell, and how far that is from the density.
  public struct BinnedPoints: Sendable {
    /// `[height * width]` as the map's probabilities.
    public let counts: [Int]
    public let divergences: Divergences

    init(_ points: [SIMD2<Float>], _ map: DensityMap) {
      counts = map.histogram(points)
      divergences = Divergences(of: points, from: map)
    }
  }

  /// The nodes at a moment of training.
  public struct Frame: Sendable {
    /// Samples of this density so far.
    public let samples: Int
    public let nodes: BinnedPoints
  }

  /// What came out for one density.
  public struct Outcome: Sendable {
    public let map: DensityMap
    /// As many draws from the density as there are nodes.
    public let real: BinnedPoints
    /// The nodes with Split-and-Prune.
    public let nodes: BinnedPoints
    /// The nodes by gradient descent alone.
    public let withoutSplits: BinnedPoints
    /// The nodes with Split-and-Prune before the first sample, and then `frames` times.
    public let frames: [Frame]
    public let splits: Int
    /// Of the training with Split-and-Prune.
    public let samplesPerSecond: Double
  }

  public init(options: DensityFit.Options, samples: Int, startsAfresh: Bool = false, frames: Int = 1) {
    precondition(samples >= 0 && frames >= 1, "an experiment of \(samples) samples and \(frames) frames")
    self.options = options
    self.samples = samples
    self.startsAfresh = startsAfresh
    self.frames = frames
  }

  /// Trains on one density after the other; both trainings run side by side, and neither depends on the other.
  ///
  /// - Parameter progress: hears of samples that were learned, from several threads; what it throws ends the work.
  public func run(
    on maps: [DensityMap], progress: @escaping @Sendable (_ samples: Int) throws -> Void = { _ in }
  ) throws -> [Outcome] {
    let trainings = Mutex<[Result<[Training], any Error>?]>([nil, nil])
    DispatchQueue.concurrentPerform(iterations: 2) { index in
      let result = Result { try train(on: maps, splitting: index == 0, progress) }
      trainings.withLock { $0[index] = result }
    }
    let (with, without) = try trainings.withLock { (try $0[0]!.get(), try $0[1]!.get()) }
    return maps.indices.map { index in
      let map = maps[index]
      var generator = SplitMix64(seed: options.seed, stream: 2 + UInt64(index))
      let sampler = DensitySampler(map)
      let real = (0..<options.nodes).map { _ in sampler.draw(&generator) }
      return Outcome(
        map: map, real: BinnedPoints(real, map), nodes: with[index].frames.last!.nodes,
        withoutSplits: without[index].frames.last!.nodes, frames: with[index].frames, splits: with[index].splits,
        samplesPerSecond: with[index].samplesPerSecond)
    }
  }

  private struct Training {
    var frames: [Frame]
    let splits: Int
    let samplesPerSecond: Double
  }

  private func train(
    on maps: [DensityMap], splitting: Bool, _ progress: (Int) throws -> Void
  ) throws -> [Training] {
    var options = options
    if !splitting { options.split.rule = .none }
    var fit = DensityFit(options)
    var trainings: [Training] = []
    for map in maps {
      if startsAfresh { fit = DensityFit(options) }
      let splitsBefore = fit.splits
      var frames = [Frame(samples: 0, nodes: BinnedPoints(fit.nodes, map))]
      // A word now and then, however few frames are wanted.
      let wordsOfFrame = max(1, samples / self.frames / 250_000)
      var reported = 0
      let start = ContinuousClock.now
      try fit.train(on: map, samples: samples, observations: self.frames * wordsOfFrame) { seen, nodes in
        try progress(seen - reported)
        reported = seen
        if seen * self.frames >= frames.count * samples {
          frames.append(Frame(samples: seen, nodes: BinnedPoints(nodes(), map)))
        }
      }
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      trainings.append(
        Training(
          frames: frames, splits: fit.splits - splitsBefore,
          samplesPerSecond: samples > 0 ? Double(samples) / max(seconds, 1e-9) : 0))
    }
    return trainings
  }
}
