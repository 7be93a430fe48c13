import DDN
import DDNFiles

extension NetworkConfiguration {
  /// Infers the network from the names and shapes of its weights.
  init(original state: [String: OriginalTensor], _ choices: OriginalSnapshot.Choices) throws(ImportError) {
    let shapes = state.mapValues(\.shape)
    if shapes.keys.contains(where: { $0.hasPrefix("model.block_") }) {
      guard choices.levels == nil else {
        throw ImportError("holds a pyramid, whose weights define its levels", remedy: "remove --levels")
      }
      self = .pyramid(try PyramidNetwork.Configuration(original: shapes, choices))
    } else if shapes.keys.contains(where: { $0.hasPrefix("ddn_seqen.") }) {
      guard choices.initialImage == nil else {
        throw ImportError(
          "holds the MNIST network, which has no initial image", remedy: "remove --initial-image")
      }
      self = .recurrent(try RecurrentNetwork.Configuration(original: shapes, choices))
    } else {
      let names = shapes.keys.sorted().prefix(3).map { quoted($0) }.joined(separator: ", ")
      throw ImportError("holds no network of the original: its tensors are \(names.isEmpty ? "none" : names)")
    }
  }
}

/// - Throws: `ImportError` naming the first impossible value.
private func requireValid(_ architecture: some NetworkArchitecture) throws(ImportError) {
  do throws(ConfigurationError) { try architecture.validate() } catch {
    throw ImportError("has an invalid network: \(error)")
  }
}

extension PyramidNetwork.Configuration {
  /// - Parameter shapes: of every tensor, by the original's names.
  fileprivate init(
    original shapes: [String: [Int]], _ choices: OriginalSnapshot.Choices
  ) throws(ImportError) {
    let blocks = try OriginalBlock.all(in: shapes)
    let sides = Set(blocks.map(\.side)).sorted()
    for (lower, upper) in zip(sides, sides.dropFirst()) where upper != 2 * lower {
      throw ImportError("has a pyramid with blocks of side \(lower) and then \(upper)")
    }
    self.init(
      resolution: sides.last!, imageChannels: OriginalBlock.imageChannels, startSide: sides[0],
      channelsOfScales: sides.map { side in blocks.first { $0.side == side }!.channels },
      maxNodes: blocks.map(\.nodes).max()!, learnsResidual: choices.learnsResidual ?? true,
      conditions: choices.conditions, initialImage: choices.initialImage)
    let counts = sides.map { side in blocks.count { $0.side == side } }
    guard setBlocks(counts, of: sides) else {
      throw ImportError("has \(counts) blocks at the sides \(sides), which do not follow the original's rule")
    }
    try requireValid(self)
    removeDefaultChannels()
    let levels = self.levels
    let expected = Dictionary(uniqueKeysWithValues: levels.map { ($0.name, $0) })
    for block in blocks {
      guard let level = expected[block.name] else {
        throw ImportError("has a block \(block.name), which does not follow the original's rule")
      }
      guard level.channels == block.channels, level.nodes == block.nodes else {
        throw ImportError(
          "has \(block.nodes) nodes and \(block.channels) channels at block \(block.name), not \(level.nodes) and "
            + "\(level.channels), as by the original's rule")
      }
    }
  }

  /// Omits channels that equal those of the original's rule.
  private mutating func removeDefaultChannels() {
    var byRule = self
    byRule.channelsOfScales = nil
    if (try? byRule.validate()) != nil, byRule.levels.map(\.channels) == levels.map(\.channels) { self = byRule }
  }

  /// Finds `blocksTimes` and `maxBlocks` that give these numbers of blocks.
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

/// A block of the original's pyramid, from the names and shapes of a state dictionary.
private struct OriginalBlock {
  /// The original supports RGB only.
  static let imageChannels = 3

  /// As `PyramidLevel.name`.
  let name: String
  let side: Int
  let channels: Int
  let nodes: Int

  static func all(in shapes: [String: [Int]]) throws(ImportError) -> [OriginalBlock] {
    var blocks: [OriginalBlock] = []
    let suffix = ".ddo.multi_out_conv1x1.weight"
    for (name, shape) in shapes.sorted(by: { $0.key < $1.key }) where name.hasSuffix(suffix) {
      guard let match = name.wholeMatch(of: /model\.block_(([0-9]{1,4})x([0-9]{1,4})_[0-9]{1,4}(?:_up)?)\.ddo\..*/),
        match.2 == match.3, let side = Int(match.2), side > 0
      else { throw ImportError("has the unknown layer \(quoted(name))") }
      let convolution = shapes["model.block_\(match.1).block.conv0.weight"] ?? []
      guard convolution.count == 4, (1...4096).contains(convolution[0]), shape.count == 4, shape[0] > 0,
        shape[0] % imageChannels == 0
      else { throw ImportError("has the block \(match.1) with unsupported weights") }
      blocks.append(
        OriginalBlock(
          name: String(match.1), side: side, channels: convolution[0], nodes: shape[0] / imageChannels))
    }
    guard !blocks.isEmpty else { throw ImportError("has a pyramid without a layer of nodes") }
    return blocks
  }
}

extension RecurrentNetwork.Configuration {
  /// - Parameter shapes: of every tensor, by the original's names.
  fileprivate init(
    original shapes: [String: [Int]], _ choices: OriginalSnapshot.Choices
  ) throws(ImportError) {
    func first(_ name: String) throws(ImportError) -> Int {
      guard let size = shapes["ddn_seqen.0.\(name)"]?.first else {
        throw ImportError("has no tensor ddn_seqen.0.\(name)")
      }
      return size
    }
    // Extra or missing weights are errors when they are copied.
    let stacks = (0..<65).first { shapes["ddn_seqen.\($0).ddo.multi_out_conv1x1.weight"] == nil } ?? 65
    let levels = choices.levels ?? 10 * stacks
    guard stacks > 0, levels % stacks == 0 else {
      throw ImportError("has \(stacks) U-Nets, and \(levels) levels are not a multiple of it")
    }
    let isClassConditional = choices.conditions == [.classNumber(of: 10)]
    guard isClassConditional || choices.conditions.isEmpty else {
      throw ImportError("holds the MNIST network, which supports only the condition class10")
    }
    self.init(
      baseWidth: try first("b1.2.conv1.weight"), nodes: try first("ddo.multi_out_conv1x1.weight"),
      repeats: levels / stacks, stacks: stacks,
      leaksChoice: shapes.keys.contains { $0.hasPrefix("ddn_seqen.0.b1_leak_choice.") },
      learnsResidual: choices.learnsResidual ?? false, isClassConditional: isClassConditional)
    try requireValid(self)
  }
}
