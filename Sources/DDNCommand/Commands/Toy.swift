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
      Every node is a point in a square. Each sample of a density moves its nearest node towards it, and \
      Split-and-Prune overwrites unused nodes with copies of busy ones, until the nodes are distributed like samples. \
      Writes densities.png (the density, real samples, the nodes without and with Split-and-Prune), nodes.gif and \
      nodes.webp (the nodes during training) and split-and-prune.svg (splits in one dimension). A folder with other \
      files is refused without --overwrite.

      Examples:
        ddn toy
        ddn toy --densities spiral,words --nodes 20000
        ddn toy --image portrait.jpg --bins 200 --nodes 100000 --samples 10000000
        ddn toy --nodes 2000 --samples 72000 --distance l1      the original's example
      """)

  @Option(
    help: .init(
      "Densities in order: \(Density.allCases.map(\.rawValue).joined(separator: ", ")). "
        + "(default: all, gaussian twice)", valueName: "name,name"))
  var densities: DensityList?

  @Option(help: "An image as a density, proportional to brightness; repeatable.")
  var image: [String] = []

  @Option(
    parsing: .unconditional, help: "Bins per side of a density. (default: 100)",
    transform: wholeNumber(in: 1...1000))
  var bins = 100

  @Option(
    parsing: .unconditional, help: "K, number of nodes. (default: 10000)", transform: wholeNumber(in: 1...5_000_000))
  var nodes = 10_000

  @Option(
    parsing: .unconditional, help: "Samples per density. (default: 40 per node, so that each can be split once)",
    transform: wholeNumber(in: 0...1_000_000_000_000))
  var samples: Int?

  @Option(
    parsing: .unconditional, help: "Samples per step; a step splits at most one node. (default: 40)",
    transform: wholeNumber(in: 1...1_000_000))
  var batch = 40

  @Option(help: "Distance: l1, the original's example, or l2, the paper's text.")
  var distance = DistanceMeasure.l2

  @Option(help: "Rule of Split-and-Prune: total-variation (the original program's) or paper.")
  var split = SplitRule.totalVariation

  @Flag(help: "Start each density with new nodes instead of the previous density's.")
  var fresh = false

  @Option(parsing: .unconditional, help: "Seed of the nodes and the samples. (default: 0)", transform: seedNumber)
  var seed: UInt64 = 0

  @Option(help: "Folder for the figures.")
  var outdir = "toy"

  @Flag(help: "Overwrite the folder's outputs and the file of --json; other files stay.")
  var overwrite = false

  @Option(help: "Write all results as JSON to this file.")
  var json: String?

  @Option(
    parsing: .unconditional, help: "Frames per density of the animation; 0 for no animation. (default: 12)",
    transform: wholeNumber(in: 0...1000))
  var frames = 12

  @Flag(name: [.customShort("n"), .long], help: "Print what would be done and stop.")
  var dryRun = false

  func run() throws {
    let maps = try makeMaps()
    let experiment = DensityExperiment(
      options: .init(
        nodes: nodes, batch: batch, distance: distance, split: SplitPolicy(rule: split.rule), seed: seed),
      samples: samples ?? 40 * nodes, resetsNodes: fresh, frames: max(frames, 1))
    let folder = URL(fileURLWithPath: outdir)
    if dryRun {
      Terminal.print(
        "would fit \(nodes) nodes to \(maps.map(\.name).joined(separator: ", ")) with \(experiment.samples) samples each, "
          + "into \(folder.path)")
      return
    }
    let output = try OutputFolder(folder, for: identity, files: names, overwrites: overwrite)
    if let json { try checkOutput(json, overwrites: overwrite) }
    let outcomes = try fit(experiment, to: maps)
    printTable(outcomes)

    try DensityFigures.panel(outcomes).write(to: output.file("densities.png"))
    if frames > 0 {
      let animation = try DensityFigures.animation(outcomes)
      try animation.write(.gif, to: output.file("nodes.gif"))
      try animation.write(.webp, to: output.file("nodes.webp"))
    }
    let line = NodeLine.stages(nodes: 5, seed: seed) + NodeLine.stages(nodes: 15, seed: seed)
    let stages = Array(line[..<4] + [line[4], line[7]])  // The first and last stage of 15 nodes, as in the paper.
    try AtomicFile.write(Data(NodeLineFigure.svg(stages).utf8), to: output.file("split-and-prune.svg"))
    if let json {
      let encoder = JSONEncoder.oneLine
      let report = DensityReport(experiment, outcomes, lines: stages)
      try AtomicFile.write(encoder.encode(report), to: URL(fileURLWithPath: json))
    }
    Terminal.print("pictures in \(folder.path)")
  }

  private var names: [String] {
    ["densities.png", "split-and-prune.svg"] + (frames > 0 ? ["nodes.gif", "nodes.webp"] : [])
  }

  /// Identifies the job by all that determines its outputs.
  private var identity: OutputFolder.Job {
    .init(
      command: "toy",
      options: [
        "densities": densities.map { $0.densities.map(\.rawValue).joined(separator: ",") } ?? "",
        "images": image.map { FileIdentity.text(of: URL(fileURLWithPath: $0)) }.joined(separator: "\n"),
        "numbers": [bins, nodes, samples ?? -1, batch, Int(seed), frames].map(String.init).joined(separator: " "),
        "rules": "\(distance.rawValue) \(split.rawValue) \(fresh)",
      ])
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
    StopSignal.listen("stopping; Ctrl-C again after 3 seconds stops at once")
    // With and without splits.
    let total = 2 * maps.count * experiment.samples
    let state = Mutex((done: 0, line: ProgressLine(total: total, unit: "samples")))
    defer { state.withLock { $0.line.clear() } }
    return try experiment.run(on: maps) { samples in
      if StopSignal.shouldStop() { throw Interrupted() }
      state.withLock { state in
        state.done += samples
        state.line.show(state.done)
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

/// The rules that split; a fit without splits is always made, too.
enum SplitRule: String, ExpressibleByArgument, CaseIterable {
  case totalVariation = "total-variation"
  case paper

  var rule: SplitPolicy.Rule { self == .paper ? .paper : .totalVariation }
}

/// Comma-separated names of densities.
struct DensityList: ExpressibleByArgument {
  let densities: [Density]

  init?(argument: String) {
    let parsed = argument.split(separator: ",", omittingEmptySubsequences: false).map { Density(rawValue: String($0)) }
    guard parsed.allSatisfy({ $0 != nil }) else { return nil }
    densities = parsed.map { $0! }
  }
}

extension DistanceMeasure: ExpressibleByArgument {}
