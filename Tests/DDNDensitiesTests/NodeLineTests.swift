import Testing

@testable import DDNDensities

@Suite("NodeLine") struct NodeLineTests {
  @Test(
    "the stages have one split and one prune, and the final KL is below the initial", arguments: [5, 15],
    [0, 1, 2])
  func stages(nodes: Int, seed: Int) {
    let stages = NodeLine.stages(nodes: nodes, seed: UInt64(seed))
    #expect(stages.map(\.title) == ["initial", "split", "prune", "final"])
    #expect(stages.map(\.line.nodes.count) == [nodes, nodes + 1, nodes, nodes])
    #expect(stages[3].kl < stages[0].kl)
    #expect(stages[3].kl < 0.05)
    for stage in stages {
      #expect(abs(stage.p.reduce(0, +) - 1) < 1e-12)
      #expect(stage.line.nodes == stage.line.nodes.sorted())
    }
    #expect(stages[0].p[stages[0].marked!] == stages[0].p.max())
    #expect(stages[1].p[stages[1].marked!] == stages[1].p.min())
  }

  @Test("the split node is the busiest, and the rarest of both twins and the others is pruned", arguments: [2, 5])
  func marks(nodes: Int) {
    for seed in 0..<100 {
      let stages = NodeLine.stages(nodes: nodes, seed: UInt64(seed))
      let (split, pruned) = (stages[1], stages[1].marked!)
      #expect(stages[0].p[stages[0].marked!] == stages[0].p.max())
      #expect(split.p[pruned] == split.p.min())
      #expect(split.line.nodes.enumerated().filter { $0.offset != pruned }.map(\.element) == stages[2].line.nodes)
    }
  }

  @Test("the target's probabilities are integrals of its density")
  func integrals() {
    let line = NodeLine([-0.5, 0.1, 0.4])
    let steps = 20_000
    var sums = [Double](repeating: 0, count: 3)
    for step in 0..<steps {
      let x = -1 + (Double(step) + 0.5) * 2 / Double(steps)
      let nearest = line.nodes.indices.min { abs(line.nodes[$0] - x) < abs(line.nodes[$1] - x) }!
      sums[nearest] += NodeLine.density(x) * 2 / Double(steps)
    }
    for (sum, p) in zip(sums, line.targetProbabilities) { #expect(abs(sum - p) < 1e-3) }
  }
}
