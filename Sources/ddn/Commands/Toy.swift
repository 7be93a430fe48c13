import ArgumentParser
import DDN
import DDNDensities
import DDNFigures
import DDNFiles
import Foundation
import Images
import Synchronization

struct Toy: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Fit nodes to two-dimensional densities: the method without a network, in seconds.",
    discussion: """
      Every node is a point of a square. Samples of a density draw their nearest node to them, and Split-and-Prune gives \
      the place of nodes that none comes near to copies of busy ones, until the nodes lie like samples themselves. \
      Leaves in --outdir: densities.png (the truth, real samples, the nodes without and with Split-and-Prune), nodes.gif \
      and nodes.webp (the nodes as they learn), split-and-prune.svg (what a split does, on a line).

      Examples:
        ddn toy
        ddn toy --densities spiral,words --nodes 20000
        ddn toy --image portrait.jpg --bins 200 --nodes 100000 --samples 10000000
        ddn toy --nodes 2000 --samples 72000 --distance l1      as the original's example
      """)

  @Option(
    help: .init(
      "Densities, one after the other: \(Density.allCases.map(\.rawValue).joined(separator: ", ")). "
        + "(default: all, gaussian twice)", valueName: "name,name"))
  var densities: DensityList?

  @Option(help: "A picture as a density; light is likely. Several are several densities.")
  var image: [String] = []

  @Option(help: "Bins along each side of a density.")
  var bins = 100

  @Option(help: "K, the nodes.")
  var nodes = 10_000

  @Option(help: "Samples of each density. (default: 40 a node, so that each can be split once)")
  var samples: Int?

  @Option(help: "Samples a step; at most one node is split a step.")
  var batch = 40

  @Option(help: "Which node is nearest: l1, the original's example, or l2, the paper's text.")
  var distance = DistanceMeasure.l2

  @Option(help: "Rule of Split-and-Prune: total-variation (the original program's) or paper.")
  var split = SplitRule.totalVariation

  @Flag(help: "Begin each density with new nodes instead of those of the one before.")
  var fresh = false

  @Option(help: "Seed of the nodes and the samples.")
  var seed: UInt64 = 0

  @Option(help: "Folder for the pictures.")
  var outdir = "toy"

  @Option(help: "Write everything that is drawn, and all figures, to this file.")
  var json: String?

  @Option(help: "Pictures of the animation for each density; 0 for no animation.")
  var frames = 12

  @Flag(name: [.customShort("n"), .long], help: "Print what would be done and stop.")
  var dryRun = false

  private static let mostSamples = 1_000_000_000_000

  func validate() throws {
    func check(_ name: String, _ value: Int, within range: ClosedRange<Int>) throws {
      if !range.contains(value) {
        throw ValidationError("--\(name) \(value) is not within \(range.lowerBound)...\(range.upperBound)")
      }
    }
    try check("bins", bins, within: 1...1000)
    try check("nodes", nodes, within: 1...5_000_000)
    if let samples { try check("samples", samples, within: 0...Self.mostSamples) }
    try check("batch", batch, within: 1...1_000_000)
    try check("frames", frames, within: 0...1000)
  }

  func run() throws {
    let maps = try makeMaps()
    let experiment = DensityExperiment(
      options: .init(
        nodes: nodes, batch: batch, distance: distance, split: SplitPolicy(rule: split.rule), seed: seed),
      samples: samples ?? 40 * nodes, startsAfresh: fresh, frames: max(frames, 1))
    let folder = URL(fileURLWithPath: outdir)
    if dryRun {
      Terminal.print(
        "would fit \(nodes) nodes to \(maps.map(\.name).joined(separator: ", ")) with \(experiment.samples) samples each, "
          + "into \(folder.path)")
      return
    }
    try Folder.create(folder)
    let outcomes = try fit(experiment, to: maps)
    printTable(outcomes)

    func place(_ name: String) -> URL { folder.appendingPathComponent(name) }
    try DensityFigures.panel(outcomes).write(to: place("densities.png"))
    if frames > 0 {
      let animation = try DensityFigures.animation(outcomes)
      try animation.write(.gif, to: place("nodes.gif"))
      try animation.write(.webp, to: place("nodes.webp"))
    }
    let line = NodeLine.stages(nodes: 5, seed: seed) + NodeLine.stages(nodes: 15, seed: seed)
    let shown = line[..<4] + [line[4], line[7]]  // Of 15 nodes the first and the last stage, as in the paper.
    try AtomicFile.write(Data(NodeLineFigure.svg(Array(shown)).utf8), to: place("split-and-prune.svg"))
    if let json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      let report = DensityReport(experiment, outcomes, lines: Array(shown))
      try AtomicFile.write(encoder.encode(report), to: URL(fileURLWithPath: json))
    }
    Terminal.print("pictures in \(folder.path)")
  }

  private func makeMaps() throws -> [DensityMap] {
    let drawn = densities?.densities ?? (image.isEmpty ? Density.sequence : [])
    return try drawn.map { $0.map(bins: bins) }
      + image.map { try DensityMap(image: URL(fileURLWithPath: $0), bins: bins) }
  }

  /// Runs the experiment with a progress line.
  private func fit(
    _ experiment: DensityExperiment, to maps: [DensityMap]
  ) throws -> [DensityExperiment.Outcome] {
    StopSignal.listen("stopping; once more to stop at once")
    // Both trainings count.
    let total = 2 * maps.count * experiment.samples
    let start = ContinuousClock.now
    let state = Mutex((done: 0, line: ProgressLine(total: total, unit: "samples")))
    defer { state.withLock { $0.line.clear() } }
    return try experiment.run(on: maps) { samples in
      if StopSignal.shouldStop() { throw Interrupted() }
      state.withLock { state in
        state.done += samples
        state.line.show(state.done, rate: Double(state.done) / ((ContinuousClock.now - start) / .seconds(1)))
      }
    }
  }

  private func printTable(_ outcomes: [DensityExperiment.Outcome]) {
    let header = ["density", "KL", "real", "without", "JS", "splits", "samples/s"]
    let rows = outcomes.map { outcome in
      let divergences = [outcome.nodes, outcome.real, outcome.withoutSplits].map(\.divergences)
      return [outcome.map.name] + divergences.map { formatNumber($0.kl, digits: 3) }
        + [
          formatNumber(divergences[0].js, digits: 3), "\(outcome.splits)", "\(Int(outcome.samplesPerSecond))",
        ]
    }
    func mean(_ points: (DensityExperiment.Outcome) -> DensityExperiment.BinnedPoints) -> String {
      formatNumber(outcomes.map { points($0).divergences.kl }.reduce(0, +) / Double(outcomes.count), digits: 3)
    }
    let means = ["mean", mean(\.nodes), mean(\.real), mean(\.withoutSplits), "", "", ""]
    let table = [header] + rows + (outcomes.count > 1 ? [means] : [])
    let widths = header.indices.map { column in table.map { $0[column].count }.max()! }
    for row in table {
      let cells = row.enumerated().map { column, cell in
        let space = String(repeating: " ", count: widths[column] - cell.count)
        return column == 0 ? cell + space : space + cell
      }
      Terminal.print(cells.joined(separator: "  "))
    }
  }
}

/// The rules that split; the training without splits is run anyway.
enum SplitRule: String, ExpressibleByArgument, CaseIterable {
  case totalVariation = "total-variation"
  case paper

  var rule: SplitPolicy.Rule { self == .paper ? .paper : .totalVariation }
}

/// Names of densities with commas between.
struct DensityList: ExpressibleByArgument {
  let densities: [Density]

  init?(argument: String) {
    let parsed = argument.split(separator: ",", omittingEmptySubsequences: false).map { Density(rawValue: String($0)) }
    guard parsed.allSatisfy({ $0 != nil }) else { return nil }
    densities = parsed.map { $0! }
  }
}

extension DistanceMeasure: ExpressibleByArgument {}
