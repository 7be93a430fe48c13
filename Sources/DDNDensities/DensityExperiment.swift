import DDN
import Dispatch
import Foundation
import Synchronization

/// The paper's toy experiment: nodes fitted with and without Split-and-Prune, and as many real samples.
///
/// Source: paper, Figures 5 and 19.
public struct DensityExperiment: Sendable {
  public var options: DensityFit.Options
  /// Training samples per density.
  public var samples: Int
  /// Whether each density starts with new random nodes, not with those of the previous density.
  public var resetsNodes: Bool
  /// Frames recorded per density, besides the initial one.
  public var frames: Int

  /// Points binned as the map is, and their divergences from it.
  public struct BinnedPoints: Sendable {
    /// `[height * width]`.
    public let counts: [Int]
    public let divergences: Divergences

    init(_ points: [SIMD2<Float>], _ map: DensityMap) {
      counts = map.histogram(points)
      divergences = Divergences(of: points, from: map)
    }
  }

  /// The nodes during training.
  public struct Frame: Sendable {
    /// Samples of this density so far.
    public let samples: Int
    public let nodes: BinnedPoints
  }

  /// The results for one density.
  public struct Outcome: Sendable {
    public let map: DensityMap
    /// K draws from the density.
    public let real: BinnedPoints
    /// Trained with Split-and-Prune.
    public let nodes: BinnedPoints
    /// Trained by gradient descent alone.
    public let withoutSplits: BinnedPoints
    /// Of the training with Split-and-Prune, from the initial nodes on.
    public let frames: [Frame]
    public let splits: Int
    /// Of the training with Split-and-Prune.
    public let samplesPerSecond: Double
  }

  public init(options: DensityFit.Options, samples: Int, resetsNodes: Bool = false, frames: Int = 1) {
    precondition(samples >= 0 && frames >= 1, "\(samples) samples are negative or \(frames) frames below 1")
    self.options = options
    self.samples = samples
    self.resetsNodes = resetsNodes
    self.frames = frames
  }

  /// Trains on the densities in order; the trainings with and without splits run in parallel.
  ///
  /// - Parameters:
  ///   - maps: the densities, learned one after the other.
  ///   - progress: called from several threads with the number of new samples; throwing aborts.
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
      if resetsNodes { fit = DensityFit(options) }
      let splitsBefore = fit.splits
      var frames = [Frame(samples: 0, nodes: BinnedPoints(fit.nodes, map))]
      // Progress is reported at least every 250,000 samples.
      let reportsPerFrame = max(1, (samples / self.frames + 249_999) / 250_000)
      var reported = 0
      let start = ContinuousClock.now
      try fit.train(on: map, samples: samples, observations: self.frames * reportsPerFrame) { seen, nodes in
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
