import DDN
import DDNTraining
import Testing

@testable import DDNAblation

@Suite("Plans of ablation studies") struct AblationPlanTests {
  static let pyramid = TrainingOptions(
    network: .pyramid(.init(resolution: 8, channelBase: 4096, maxBlocks: 2, maxNodes: 512)), images: 1000)
  static let recurrent = TrainingOptions(network: .recurrent(.init(baseWidth: 2, nodes: 8, repeats: 3)), images: 1000)
  static let dense = TrainingOptions(
    network: NetworkConfiguration(
      DenseNetwork.Configuration(imageShape: [1, 32, 32], components: 24, nodes: 8, levels: 3, width: 16, rank: 8)),
    images: 1000, chainDropout: 0)

  private static func plan(_ base: TrainingOptions, _ rows: String, seeds: [UInt64] = [0]) throws -> AblationPlan {
    try AblationPlan(base: base, changes: AblationPlan.changes(parsing: rows), seeds: seeds)
  }

  @Test("of a pyramid, table2 is the paper's Table 2: its rows in its order, each with its change alone")
  func table2() throws {
    let plan = try Self.plan(Self.pyramid, "table2")
    #expect(
      plan.rows.map(\.label) == [
        "default, K=512", "K=64", "K=8", "K=2, without chain dropout", "without Split-and-Prune",
        "without chain dropout", "without learned residuals", "without leak choice",
      ])
    #expect(plan.omissions.isEmpty)
    var expected = [TrainingOptions](repeating: Self.pyramid, count: 8)
    for (place, nodes) in [(1, 64), (2, 8), (3, 2)] {
      expected[place].network = .pyramid(
        .init(resolution: 8, channelBase: 4096, maxBlocks: 2, maxNodes: nodes))
    }
    (expected[3].chainDropout, expected[5].chainDropout) = (0, 0)
    expected[4].split.rule = .none
    expected[6].network = .pyramid(
      .init(resolution: 8, channelBase: 4096, maxBlocks: 2, maxNodes: 512, learnsResidual: false))
    expected[7].network = .pyramid(
      .init(resolution: 8, channelBase: 4096, maxBlocks: 2, maxNodes: 512, leaksChoice: false))
    #expect(plan.rows.map(\.options) == expected)
  }

  @Test("figure12 leaves out each of chain dropout and Split-and-Prune, and both") func figure12() throws {
    let plan = try Self.plan(Self.recurrent, "figure12")
    #expect(plan.rows.map(\.name) == ["default", "no-dropout", "no-split-no-dropout", "no-split"])
    #expect(plan.rows[2].label == "without Split-and-Prune and chain dropout")
    let settings = plan.rows.map { [$0.options.chainDropout > 0, $0.options.split.rule != .none] }
    #expect(settings == [[true, true], [false, true], [false, false], [true, false]])
    var rising = Self.recurrent
    (rising.chainDropout, rising.lastChainDropout) = (0, 0.1)
    let without = try Self.plan(rising, "dropout").rows[1].options
    #expect(without.chainDropout == 0 && without.lastChainDropout == nil)
  }

  @Test("rows that a network cannot have are omitted with the reason, and K of the default silently")
  func omissions() throws {
    let dense = try Self.plan(Self.dense, "table2")
    #expect(dense.rows.map(\.name) == ["default", "k512", "k64", "k2", "no-split"])
    #expect(
      dense.omissions == [
        .init(label: "without chain dropout", reason: "chain dropout is 0"),
        .init(label: "without learned residuals", reason: "a dense network always learns residuals"),
        .init(label: "without leak choice", reason: "a dense network has no leak choice"),
      ])
    let recurrent = try Self.plan(Self.recurrent, "residual,leak")
    #expect(recurrent.rows.map(\.name) == ["default", "no-leak"])
    #expect(recurrent.omissions.map(\.reason) == ["the network learns no residuals; --learn-res adds them"])
    var narrow = Self.pyramid
    narrow.network = .pyramid(.init(resolution: 8, channelMaximum: 16, maxBlocks: 2, maxNodes: 16))
    let few = try Self.plan(narrow, "nodes=512,nodes=8,nodes=16")
    #expect(few.rows.map(\.name) == ["default", "k8"])
    #expect(few.omissions.map(\.label) == ["K=512"] && few.omissions[0].reason.contains("at most 32 nodes"))
  }

  @Test("a row that repeats another is omitted, and a study needs a second one") func repeats() throws {
    let plan = try Self.plan(Self.recurrent, "split,split,nodes=4,nodes=8+split")
    #expect(plan.rows.map(\.name) == ["default", "no-split", "k4"] && plan.omissions.isEmpty)
    #expect(
      throws: ConfigurationError("there is nothing to compare: without leak choice: a dense network has no leak choice")
    ) {
      try Self.plan(Self.dense, "leak")
    }
    #expect(throws: ConfigurationError.self) { try Self.plan(Self.recurrent, "split", seeds: [1, 1]) }
  }

  @Test("every seed has a run of every row, in turns") func runs() throws {
    let plan = try Self.plan(Self.recurrent, "split", seeds: [3, 4])
    #expect(plan.runs.map(\.name) == ["default-seed3", "no-split-seed3", "default-seed4", "no-split-seed4"])
    #expect(plan.runs.map(\.options.seed) == [3, 3, 4, 4] && plan.runs[1].options.split.rule == .none)
  }

  @Test(
    "unknown words are errors that name them", arguments: ["splits", "nodes=1", "nodes=x", "split+", "", "a,split"])
  func unknown(text: String) {
    #expect(throws: ConfigurationError.self) { try AblationPlan.changes(parsing: text) }
  }

  @Test("means have the standard deviation of samples, and of one run none") func means() {
    let mean = AblationMean(of: [1, 2, 3, 4])
    #expect(mean.mean == 2.5 && abs(mean.deviation! - 1.2909944487) < 1e-9 && mean.text(digits: 2) == "2.50 ± 1.29")
    #expect(AblationMean(of: [0.25]).text(digits: 3) == "0.250")
  }
}
