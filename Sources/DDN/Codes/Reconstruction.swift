import Torch

/// Images as a model can draw them, and the codes that say how.
///
/// Source: paper, section 3.1: training's choice of the nearest image at each level, without the loss.
public struct Reconstruction {
  /// One code an image.
  public let codes: [LatentCode]
  /// For each level, the images chosen there: `[B, C, H, W]`.
  public let levels: [Tensor]
  /// `[L][B]`, each level's mean squared error, in units of [-1, 1] squared.
  public let errors: [[Double]]

  /// - Parameters:
  ///   - target: `[B, C, H, W]` in [-1, 1], on the network's device.
  ///   - classes: `[B]` int64; nil for no class.
  ///   - sources: `[B, C, H, W]` in [-1, 1], what a condition on images is taken from; nil for the target itself.
  public init(
    of target: Tensor, by network: any DiscreteDistributionNetwork, classes: Tensor? = nil, sources: Tensor? = nil
  ) throws {
    let goal = Target(target)
    let condition = network.condition(classes: classes, sources: sources ?? target)
    var (choices, images, losses): ([Tensor], [Tensor], [Tensor]) = ([], [], [])
    try withoutGradients {
      // Levels are not kept whole: their features are many times as large as their images.
      try network.run(samples: target.shape[0], condition: condition, chooser: NearestChooser(goal)) { output in
        choices.append(output.codes)
        images.append(try output.imagesPerSample())
        losses.append(try output.losses(to: goal))
      }
    }
    codes = try choices.latentCodes(nodesOfLevels: network.nodesOfLevels)
    levels = images
    let numbers = try Tensor.stack(losses).array(Double.self)  // [L B], in one copy from the device
    errors = losses.indices.map { Array(numbers[$0 * target.shape[0]..<($0 + 1) * target.shape[0]]) }
  }
}

extension Reconstruction {
  /// The levels that reports and pictures show: all, or sixteen spread evenly from the first to the last.
  public static func shownLevels(of count: Int) -> [Int] {
    count <= 16 ? Array(0..<count) : (0..<16).map { $0 * (count - 1) / 15 }
  }
}

extension DiscreteDistributionNetwork {
  /// The images that codes stand for: `[B, C, H, W]` in [-1, 1].
  ///
  /// - Parameters:
  ///   - codes: at least one, each with a choice for every level.
  ///   - classes: one for each code, for a network that knows classes; nil for no class.
  ///   - sources: `[B, C, H, W]` in [-1, 1], what a condition on images is taken from.
  /// - Throws: `LatentCodeError` when a code or a class does not fit the network; `ConditionError` when it needs images
  ///   and is given none, or others; `TorchError`.
  public func decode(_ codes: [LatentCode], classes: [Int]? = nil, sources: Tensor? = nil) throws -> Tensor {
    let levels = nodesOfLevels
    guard !codes.isEmpty else { throw LatentCodeError("there are no codes to decode") }
    for code in codes {
      _ = try LatentCode(code.choices, nodesOfLevels: levels)
      guard code.choices.count == levels.count else {
        throw LatentCodeError("code \(code) has \(code.choices.count) choices, and the model \(levels.count) levels")
      }
    }
    if let classes, classes.count != codes.count || !classes.allSatisfy({ (0..<self.classes).contains($0) }) {
      throw LatentCodeError("\(classes.count) classes for \(codes.count) codes do not fit 0..<\(self.classes)")
    }
    return try withoutGradients {
      let classTensor = try classes.map { try Tensor($0, shape: [codes.count]).to(device) }
      return try run(
        samples: codes.count, condition: condition(classes: classTensor, sources: sources),
        chooser: GivenChooser(codes.tensors(on: device)), observe: { _ in }
      ).imagesPerSample()
    }
  }
}
