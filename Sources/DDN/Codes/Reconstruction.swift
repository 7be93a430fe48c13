import Torch

/// A batch's codes and its approximations at every level.
///
/// Source: paper, section 3.1: the nearest image is chosen at each level, as in training.
public struct Reconstruction {
  /// One code per image.
  public let codes: [LatentCode]
  /// For each level, the images chosen there: `[B, C, h, w]`.
  public let levels: [Tensor]
  /// `[L][B]`, each level's mean squared error, in units of [-1, 1] squared.
  public let errors: [[Double]]

  /// - Parameters:
  ///   - target: `[B, C, H, W]` in [-1, 1], on the network's device.
  ///   - network: its codes and images.
  ///   - classes: `[B]` int64; nil for no class.
  ///   - sources: `[B, C, H, W]` in [-1, 1], images to compute conditions from; nil for the target.
  public init(
    of target: Tensor, by network: any DiscreteDistributionNetwork, classes: Tensor? = nil, sources: Tensor? = nil
  ) throws {
    let goal = Target(target)
    let condition = network.condition(classes: classes, sources: sources ?? target)
    var (choices, images, losses): ([Tensor], [Tensor], [Tensor]) = ([], [], [])
    try withoutGradients {
      // Features are not kept: they are many times larger than the images.
      try network.run(samples: target.shape[0], condition: condition, chooser: NearestChooser(goal)) { output in
        choices.append(output.codes)
        images.append(try output.imagesPerSample())
        losses.append(try output.losses(to: goal))
      }
    }
    codes = try choices.latentCodes(in: network.codeSpace)
    levels = images
    let numbers = try Tensor.stack(losses).array(Double.self)  // [L B], in one copy from the device
    errors = losses.indices.map { Array(numbers[$0 * target.shape[0]..<($0 + 1) * target.shape[0]]) }
  }
}

extension Reconstruction {
  /// The levels that reports and grids show: all, or 16 spread evenly from the first to the last.
  public static func shownLevels(of count: Int) -> [Int] {
    count <= 16 ? Array(0..<count) : (0..<16).map { $0 * (count - 1) / 15 }
  }
}

extension DiscreteDistributionNetwork {
  /// Decodes codes to images: `[B, C, H, W]` in [-1, 1].
  ///
  /// - Parameters:
  ///   - codes: at least one, each with a choice for every level.
  ///   - classes: one per code, for a network with classes; nil for no class.
  ///   - sources: `[B, C, H, W]` in [-1, 1], images to compute conditions from.
  /// - Throws: `LatentCodeError` when a code or a class does not fit the network; `ConditionError` when condition
  ///   images are missing or of another shape; `TorchError`.
  public func decode(_ codes: [LatentCode], classes: [Int]? = nil, sources: Tensor? = nil) throws -> Tensor {
    guard !codes.isEmpty else { throw LatentCodeError("there are no codes to decode") }
    let levels = codeSpace.levels.count
    for code in codes {
      if code.space != codeSpace { try codeSpace.validate(code.choices) }
      guard code.choices.count == codeSpace.choiceCount else {
        throw LatentCodeError("code \(code) has \(code.choices.count) choices, but the model has \(levels) levels")
      }
    }
    if let classes, classes.count != codes.count || !classes.allSatisfy({ (0..<self.classes).contains($0) }) {
      throw LatentCodeError("\(classes.count) classes for \(codes.count) codes do not fit 0..<\(self.classes)")
    }
    return try withoutGradients {
      let classTensor = try classes.map { try Tensor($0, shape: [codes.count]).to(device) }
      return try run(
        samples: codes.count, condition: condition(classes: classTensor, sources: sources),
        chooser: GivenChooser(codes.tensors(on: device))
      ).imagesPerSample()
    }
  }
}
