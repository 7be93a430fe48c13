/// The shape of one level of the pyramid network: a residual block and a layer of nodes.
public struct PyramidLevel: Encodable, Sendable, Equatable {
  /// Pixels on a side of this level's images.
  public let side: Int
  /// Index of this level among those of its side, from 0.
  public let place: Int
  /// Channels of the block's input.
  public let inputChannels: Int
  /// Channels of the block's output.
  public let channels: Int
  /// K.
  public let nodes: Int
  /// Whether the block doubles the resolution.
  public let isUp: Bool
  /// Whether the condition, if any, is added to the block's input.
  public let takesCondition: Bool
  /// Channels of the images.
  public let imageChannels: Int
  /// F, the feature channels that nodes read: half of them with leak choice.
  public let nodeInputs: Int

  /// "8x8_3", or "8x8_0_up" for the level that doubles 4x4.
  public var name: String { "\(side)x\(side)_\(place)" + (isUp ? "_up" : "") }

  /// "8x8_3 with 64 channels and 16 nodes".
  var summary: String { "\(name) with \(channels) channels and \(nodes) nodes" }

  /// Pixels on a side of the block's input.
  public var inputSide: Int { isUp ? side / 2 : side }

  /// Names and shapes of the level's parameters, in the network's order.
  var parameterShapes: [(name: String, shape: [Int])] {
    let block: [(String, [Int])] =
      [
        ("firstNorm.weight", [inputChannels]), ("firstNorm.bias", [inputChannels]),
        ("firstConvolution.weight", [channels, inputChannels, 3, 3]), ("firstConvolution.bias", [channels]),
        ("secondNorm.weight", [channels]), ("secondNorm.bias", [channels]),
        ("secondConvolution.weight", [channels, channels, 3, 3]), ("secondConvolution.bias", [channels]),
      ]
      + (hasSkip ? [("skip.weight", [channels, inputChannels, 1, 1]), ("skip.bias", [channels])] : [])
    return block.map { ("block.\($0)", $1) } + [("layer.weight", [nodes * imageChannels, nodeInputs, 1, 1])]
  }

  /// The level's parameter count.
  public var parameterCount: Int { parameterShapes.reduce(0) { $0 + $1.shape.reduce(1, *) } }

  /// Multiply-adds of the block's convolutions per image.
  public var multiplyAdds: Int {
    let pixels = side * side
    let skip = hasSkip ? inputChannels * channels * inputSide * inputSide : 0
    return 9 * (inputChannels + channels) * channels * pixels + skip
  }

  private var hasSkip: Bool { isUp || inputChannels != channels }
}

extension PyramidNetwork.Configuration {
  /// Channels of the features at a side.
  private func channels(side: Int) -> Int {
    if let channelsOfScales { return channelsOfScales[(side / startSide).trailingZeroBitCount] }
    return min(max(channelMinimum, channelBase / side), channelMaximum)
  }

  /// K: twice the channels, clamped to 8...512, and at most `maxNodes`.
  private func nodes(channels: Int) -> Int { min(min(max(4 * channels, 16), 1024) / 2, maxNodes) }

  /// Levels at a side, including the one that doubles to it: `min(side, 64, maxBlocks) * blocksTimes`; 1 at side 1.
  public func blocks(side: Int) -> Int {
    if side == 1 { return 1 }
    let blocks = Double(min(side, 64, maxBlocks)) * blocksTimes
    return max(1, Int(blocks.rounded(.toNearestOrEven)))
  }

  /// The levels' sides, from `startSide` to `resolution`.
  var sides: [Int] {
    var sides = [startSide]
    while sides.last! < resolution { sides.append(sides.last! * 2) }
    return sides
  }

  /// All levels, from level 0.
  public var levels: [PyramidLevel] {
    requireValid()
    return unvalidatedLevels
  }

  public var summary: String {
    let levels = levels
    let nodes = (levels.map(\.nodes).min()!, levels.map(\.nodes).max()!)
    return "pyramid of \(levels.count) levels, \(nodes.0 == nodes.1 ? "" : "\(nodes.0) to ")\(nodes.1) nodes, "
      + "\(resolution)x\(resolution) \(imageChannels == 1 ? "gray" : "colour")"
      + (leaksChoice == false ? ", no leaked choice" : "")
      + (conditions.isEmpty ? "" : ", conditioned on " + conditions.map(\.description).joined(separator: " and "))
      + (initialImage.map { ", initial image \($0.rawValue)" } ?? "")
  }

  /// The levels, before cross-field validation.
  var unvalidatedLevels: [PyramidLevel] {
    var levels: [PyramidLevel] = []
    var sideOfCondition: Int?
    for side in sides {
      let channels = channels(side: side)
      for place in 0..<blocks(side: side) {
        let isUp = place == 0 && side > startSide
        let inputSide = isUp ? side / 2 : side
        // The condition is added once per input side; an up block reads the side below, where it was added already
        // unless that side has no other block.
        levels.append(
          PyramidLevel(
            side: side, place: place, inputChannels: levels.last?.channels ?? channels, channels: channels,
            nodes: nodes(channels: channels), isUp: isUp, takesCondition: inputSide != sideOfCondition,
            imageChannels: imageChannels, nodeInputs: leaksChoice == false ? channels : channels / 2))
        sideOfCondition = inputSide
      }
    }
    return levels
  }
}
