import Torch

/// Random changes of training images that leave their classes.
struct Augmentation {
  private static let padOperator = Operator("aten::reflection_pad2d")
  private static let indexOperator = Operator("aten::index", "Tensor")
  private static let permuteOperator = Operator("aten::permute")

  /// Pixels by which an image shifts at most.
  let shift: Int
  let mirrors: Bool
  /// The fraction of images that lose detail, as in a DDN's coarse levels.
  let blurShare: Double

  /// `[B, C, S, S]` to the same shape; the images must be in random order.
  func callAsFunction(_ images: Tensor, generator: Generator) throws(TorchError) -> Tensor {
    try blurred(moved(images, generator: generator))
  }

  /// Each image shifted, its border reflected, and mirrored with probability one half.
  func moved(_ images: Tensor, generator: Generator) throws(TorchError) -> Tensor {
    let (count, side, device) = (images.shape[0], images.shape[2], images.device)
    let padded = try Augmentation.padOperator.tensor(.tensor(images), .ints([shift, shift, shift, shift]))
    let places = try Tensor.range(0..<side, device: device)
    func offsets() throws(TorchError) -> Tensor {
      try Tensor.integers(in: 0..<2 * shift + 1, [count, 1], generator: generator)
    }
    let rows = try offsets() + places  // [B, S]
    var columns = try offsets() + places
    if mirrors {
      let isMirrored = try Tensor.integers(in: 0..<2, [count, 1], generator: generator)
      // The column c becomes 2 * shift + S - 1 - c: within the padded image, too.
      let reflected = try columns.scaled(by: -1) + Double(2 * shift + side - 1)
      columns = try isMirrored.to(.bool).selecting(reflected.to(.int64), else: columns)
    }
    let numbers = try Tensor.range(0..<count, device: device)
    // Advanced indices around a full range come first: [B, S, S, C].
    let found = try Augmentation.indexOperator.tensor(
      .tensor(padded),
      .optionalTensors([
        numbers.reshaped([count, 1, 1]), nil, rows.reshaped([count, side, 1]), columns.reshaped([count, 1, side]),
      ]))
    return try Augmentation.permuteOperator.tensor(.tensor(found), .ints([0, 3, 1, 2]))
  }

  /// The first images, in equal parts, averaged to each coarser power of two and interpolated back.
  func blurred(_ images: Tensor) throws(TorchError) -> Tensor {
    let (count, side) = (images.shape[0], images.shape[2])
    let sizes = side.trailingZeroBitCount  // 1, 2, ... side / 2
    let blurredCount = Int(Double(count) * blurShare)
    guard blurredCount > 0 else { return images }
    var parts: [Tensor] = []
    for power in 0..<sizes {
      let range = blurredCount * power / sizes..<blurredCount * (power + 1) / sizes
      guard !range.isEmpty else { continue }
      parts.append(
        try images.slice(0, range).resizedArea(height: 1 << power, width: 1 << power)
          .resizedBilinear(height: side, width: side))
    }
    return try .concatenate(parts + [images.slice(0, blurredCount..<count)])
  }
}
