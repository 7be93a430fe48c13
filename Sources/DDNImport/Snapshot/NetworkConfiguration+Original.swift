import DDN
import DDNFiles

extension NetworkConfiguration {
  /// The network that weights of these names and shapes belong to.
  init(original state: [String: OriginalTensor], _ choices: OriginalSnapshot.Choices) throws(ImportProblem) {
    let shapes = state.mapValues(\.shape)
    if shapes.keys.contains(where: { $0.hasPrefix("model.block_") }) {
      guard choices.levels == nil else {
        throw ImportProblem("has a pyramid, which says its levels itself", remedy: "leave out --levels")
      }
      self = .pyramid(try PyramidNetwork.Configuration(original: shapes, choices))
    } else if shapes.keys.contains(where: { $0.hasPrefix("ddn_seqen.") }) {
      guard choices.initialImage == nil else {
        throw ImportProblem(
          "is of the MNIST network, whose first level reads no initial image", remedy: "leave out --initial-image")
      }
      self = .recurrent(try RecurrentNetwork.Configuration(original: shapes, choices))
    } else {
      let names = shapes.keys.sorted().prefix(3).map { quoted($0) }.joined(separator: ", ")
      throw ImportProblem("holds no network of the original: its tensors are \(names.isEmpty ? "none" : names)")
    }
  }
}

/// - Throws: `ImportProblem` naming the first impossible value.
private func requirePossible(_ architecture: some NetworkArchitecture) throws(ImportProblem) {
  do throws(ConfigurationError) { try architecture.validate() } catch {
    throw ImportProblem("has an impossible network: \(error)")
  }
}

extension PyramidNetwork.Configuration {
  /// - Parameter shapes: of every tensor, by the original's names.
  fileprivate init(
    original shapes: [String: [Int]], _ choices: OriginalSnapshot.Choices
  ) throws(ImportProblem) {
    let blocks = try OriginalBlock.all(in: shapes)
    let sides = Set(blocks.map(\.side)).sorted()
    for (lower, upper) in zip(sides, sides.dropFirst()) where upper != 2 * lower {
      throw ImportProblem("has a pyramid with blocks of side \(lower) and then \(upper)")
    }
    self.init(
      resolution: sides.last!, imageChannels: OriginalBlock.imageChannels, startSide: sides[0],
      channelsOfScales: sides.map { side in blocks.first { $0.side == side }!.channels },
      maxNodes: blocks.map(\.nodes).max()!, learnsResidual: choices.learnsResidual ?? true,
      conditions: choices.conditions, initialImage: choices.initialImage)
    let counts = sides.map { side in blocks.count { $0.side == side } }
    guard setBlocks(counts, of: sides) else {
      throw ImportProblem("has \(counts) blocks at the sides \(sides), which the original's rule does not give")
    }
    try requirePossible(self)
    forgetChannelsOfRule()
    let levels = self.levels
    let expected = Dictionary(uniqueKeysWithValues: levels.map { ($0.name, $0) })
    for block in blocks {
      guard let level = expected[block.name] else {
        throw ImportProblem("has a block \(block.name), which the original's rule does not give")
      }
      guard level.channels == block.channels, level.nodes == block.nodes else {
        throw ImportProblem(
          "has \(block.nodes) nodes and \(block.channels) channels at block \(block.name), and the original's rule gives "
            + "\(level.nodes) and \(level.channels)")
      }
    }
  }

  /// Leaves the channels to the rule where they are what it gives.
  private mutating func forgetChannelsOfRule() {
    var byRule = self
    byRule.channelsOfScales = nil
    if (try? byRule.validate()) != nil, byRule.levels.map(\.channels) == levels.map(\.channels) { self = byRule }
  }

  /// Finds the limit and the factor that give as many blocks at each side.
  private mutating func setBlocks(_ counts: [Int], of sides: [Int]) -> Bool {
    for times in 1...64 {
      blocksTimes = Double(times)
      for limit in 1...64 {
        maxBlocks = limit
        if sides.map({ self.blocks(side: $0) }) == counts { return true }
      }
    }
    return false
  }
}

/// What the names and shapes of a state dictionary say of one block of the original's pyramid.
private struct OriginalBlock {
  /// The original makes colour images only.
  static let imageChannels = 3

  /// As `PyramidLevel.name` has it.
  let name: String
  let side: Int
  let channels: Int
  let nodes: Int

  static func all(in shapes: [String: [Int]]) throws(ImportProblem) -> [OriginalBlock] {
    var blocks: [OriginalBlock] = []
    let suffix = ".ddo.multi_out_conv1x1.weight"
    for (name, shape) in shapes.sorted(by: { $0.key < $1.key }) where name.hasSuffix(suffix) {
      guard let match = name.wholeMatch(of: /model\.block_(([0-9]{1,4})x([0-9]{1,4})_[0-9]{1,4}(?:_up)?)\.ddo\..*/),
        match.2 == match.3, let side = Int(match.2), side > 0
      else { throw ImportProblem("has the layer \(quoted(name)), which no pyramid has") }
      let convolution = shapes["model.block_\(match.1).block.conv0.weight"] ?? []
      guard convolution.count == 4, (1...4096).contains(convolution[0]), shape.count == 4, shape[0] > 0,
        shape[0] % imageChannels == 0
      else { throw ImportProblem("has the block \(match.1) with weights of no block") }
      blocks.append(
        OriginalBlock(
          name: String(match.1), side: side, channels: convolution[0], nodes: shape[0] / imageChannels))
    }
    guard !blocks.isEmpty else { throw ImportProblem("has a pyramid without a layer of nodes") }
    return blocks
  }
}

extension RecurrentNetwork.Configuration {
  /// - Parameter shapes: of every tensor, by the original's names.
  fileprivate init(
    original shapes: [String: [Int]], _ choices: OriginalSnapshot.Choices
  ) throws(ImportProblem) {
    func first(_ name: String) throws(ImportProblem) -> Int {
      guard let size = shapes["ddn_seqen.0.\(name)"]?.first else {
        throw ImportProblem("has no tensor ddn_seqen.0.\(name)")
      }
      return size
    }
    // What is left over, or lacking, comes to light when the weights are taken.
    let stacks = (0..<65).first { shapes["ddn_seqen.\($0).ddo.multi_out_conv1x1.weight"] == nil } ?? 65
    let levels = choices.levels ?? 10 * stacks
    guard stacks > 0, levels % stacks == 0 else {
      throw ImportProblem("has \(stacks) U-Nets, which \(levels) levels do not share evenly")
    }
    let isTold = choices.conditions == [.classNumber(of: 10)]
    guard isTold || choices.conditions.isEmpty else {
      throw ImportProblem("is of the MNIST network, which can be told nothing but class10")
    }
    self.init(
      baseWidth: try first("b1.2.conv1.weight"), nodes: try first("ddo.multi_out_conv1x1.weight"),
      repeats: levels / stacks, stacks: stacks,
      leaksChoice: shapes.keys.contains { $0.hasPrefix("ddn_seqen.0.b1_leak_choice.") },
      learnsResidual: choices.learnsResidual ?? false, isClassConditional: isTold)
    try requirePossible(self)
  }
}
