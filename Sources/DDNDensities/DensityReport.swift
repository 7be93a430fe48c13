/// The numbers behind the figures of `ddn toy`, as JSON.
public struct DensityReport: Encodable, Sendable {
  /// One density.
  public struct Entry: Encodable, Sendable {
    public let density: String
    /// Divergences from the density in nats: of the nodes, of real samples, and of the nodes without Split-and-Prune.
    public let kl: Double
    public let klReal: Double
    public let klWithout: Double
    /// Of the nodes; see `Divergences`.
    public let js: Double
    public let tv: Double
    public let hellinger: Double
    public let samplesPerSecond: Double
    public let splits: Int
    /// `[bins * bins]`, from the top row down: the density, and the number of points in each bin.
    public let probabilities: [Double]
    public let nodes: [Int]
    public let real: [Int]
    public let nodesWithout: [Int]
    public let frames: [Frame]

    enum CodingKeys: String, CodingKey {
      case density, kl
      case klReal = "kl_real"
      case klWithout = "kl_without"
      case js, tv, hellinger
      case samplesPerSecond = "samples_per_second"
      case splits, probabilities, nodes, real
      case nodesWithout = "nodes_without"
      case frames
    }

    init(_ outcome: DensityExperiment.Outcome) {
      density = outcome.map.name
      kl = outcome.nodes.divergences.kl
      klReal = outcome.real.divergences.kl
      klWithout = outcome.withoutSplits.divergences.kl
      js = outcome.nodes.divergences.js
      tv = outcome.nodes.divergences.tv
      hellinger = outcome.nodes.divergences.hellinger
      samplesPerSecond = outcome.samplesPerSecond
      splits = outcome.splits
      probabilities = outcome.map.probabilities
      nodes = outcome.nodes.counts
      real = outcome.real.counts
      nodesWithout = outcome.withoutSplits.counts
      frames = outcome.frames.map {
        Frame(samples: $0.samples, kl: $0.nodes.divergences.kl, nodes: $0.nodes.counts)
      }
    }
  }

  /// One frame of the animation.
  public struct Frame: Encodable, Sendable {
    public let samples: Int
    public let kl: Double
    public let nodes: [Int]
  }

  public let options: DensityFit.Options
  /// Training samples per density.
  public let samples: Int
  public let densities: [Entry]
  /// Split-and-Prune in one dimension.
  public let lines: [NodeLine.Stage]

  public init(
    _ experiment: DensityExperiment, _ outcomes: [DensityExperiment.Outcome], lines: [NodeLine.Stage] = []
  ) {
    self.lines = lines
    options = experiment.options
    samples = experiment.samples
    densities = outcomes.map(Entry.init)
  }
}
