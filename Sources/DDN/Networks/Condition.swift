import Torch

/// What the images of a batch are conditioned on; a network reads what its `conditions` name.
public struct Condition {
  /// `[B]` int64 class of every image, below the network's number of classes and on its device, which is not checked;
  /// nil for no class.
  public var classes: Tensor?
  /// `[B, C, H, W]` in [-1, 1], the images whose gray, edges or low resolution is the condition, on the network's
  /// device.
  public var sources: Tensor?
  /// Draws the gray weights and the edge threshold of each batch, as augmentation; nil for fixed ones.
  public var randomness: Generator?

  public init(classes: Tensor? = nil, sources: Tensor? = nil, randomness: Generator? = nil) {
    self.classes = classes
    self.sources = sources
    self.randomness = randomness
  }

  /// Unconditioned.
  public static var none: Condition { Condition() }
}

/// The condition is missing or unsupported; one line.
public struct ConditionError: Error, Equatable, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}

/// The condition as feature channels, one row per path.
struct ConditionFeatures {
  /// One per kind of condition, in order: `[R, e, h, w]`, at separate resolutions.
  let parts: [Tensor]

  /// The condition's features before level 0, and their rows: one for all images, one per class, or one per image when
  /// the condition is computed from images.
  ///
  /// - Parameter imageShape: `[C, H, W]`.
  /// - Throws: `ConditionError` when `condition` lacks one of `kinds`, or its images have another shape.
  static func begin(
    _ kinds: [ConditionKind], of condition: Condition, samples: Int, imageShape: [Int], device: Device
  ) throws -> (paths: SharedPaths, features: ConditionFeatures) {
    if condition.classes != nil && kinds.classes == 0 { throw ConditionError("this model has no classes") }
    var paths = try SharedPaths(samples: samples, device: device)
    var classOfRow = try Tensor.zeros([1], dtype: .int64, device: device)
    if let kind = kinds.first(where: \.needsImages) {
      guard let sources = condition.sources else {
        throw ConditionError("this model needs an image for its condition '\(kind)'")
      }
      guard sources.shape == [samples] + imageShape else {
        throw ConditionError(
          "condition images of shape \(sources.shape) do not fit \(samples) images of \(imageShape)")
      }
      paths = .separate(samples: samples)
      classOfRow = try condition.classes ?? classOfRow.expanded([samples])
    } else if let classes = condition.classes {
      let branching = try paths.branching(at: classes, nodes: kinds.classes)
      (paths, classOfRow) = (branching.paths, branching.codeOfRow)
    }
    let parts = try withoutGradients {
      try withAutocast(nil, on: device) {
        try kinds.map { try $0.features(classOfRow: classOfRow, condition) }
      }
    }
    return (paths, ConditionFeatures(parts: parts))
  }

  /// Channels of all parts together.
  var channels: Int { parts.reduce(0) { $0 + $1.shape[1] } }

  /// `[R, channels, side, side]`, all parts at one resolution.
  func resized(side: Int) throws(TorchError) -> Tensor {
    var sized: [Tensor] = []
    for part in parts { sized.append(try part.resizedArea(height: side, width: side)) }
    return try sized.count == 1 ? sized[0] : .concatenate(sized, dimension: 1)
  }
}

extension ConditionKind {
  /// `[R, e, h, w]`, this condition's features per row.
  fileprivate func features(classOfRow: Tensor, _ condition: Condition) throws(TorchError) -> Tensor {
    switch self {
    case .classNumber(let classes):
      let table = PositionalFeatures.classEmbedding(classes: classes)
      let digits = table.count / classes
      return try Tensor(table, shape: [classes, digits, 1, 1]).to(classOfRow.device).gathered(classOfRow)
    case .gray: return try condition.sources!.grayed(randomness: condition.randomness)
    case .edges: return try condition.sources!.edges(randomness: condition.randomness)
    case .lowResolution(let side):
      let sources = condition.sources!
      return try sources.resizedArea(height: side, width: side)
        .resizedBilinear(height: sources.shape[2], width: sources.shape[3])
    }
  }
}

extension Tensor {
  /// `[B, C, H, W]` to `[B, 1, H, W]`: the mean of the channels, or a randomly weighted one.
  fileprivate func grayed(randomness: Generator?) throws(TorchError) -> Tensor {
    guard let randomness else { return try mean([1], keepingDimensions: true) }
    let weights = try Tensor.uniform([1, shape[1], 1, 1], generator: randomness)
    return try (self * (weights / weights.sum())).sum([1], keepingDimensions: true)
  }

  /// `[B, C, H, W]` to `[B, 1, H - 2, W - 2]`: 1 where the Sobel gradient of the mean channel exceeds a threshold, else
  /// -1.
  fileprivate func edges(randomness: Generator?) throws(TorchError) -> Tensor {
    let kernels = try Tensor(
      [-1, 0, 1, -2, 0, 2, -1, 0, 1] + [1, 2, 1, 0, 0, 0, -1, -2, -1] as [Float], shape: [2, 1, 3, 3]
    ).to(device)
    let gradients = try mean([1], keepingDimensions: true).convolved(kernels, bias: nil)  // [B, 2, H - 2, W - 2]
    var threshold = try Tensor.full([1], 0.75, device: device)
    if let randomness { threshold = try Tensor.uniform([1], generator: randomness) * 0.5 + 0.5 }
    let excess = try threshold.squared() - gradients.squared().sum([1], keepingDimensions: true)
    let isEdge = try excess.isLess(than: 0)
    return try isEdge.to(.float32) * 2 - 1
  }
}
