import DDN
import DDNVision
import Foundation
import Torch

extension GuideKind {
  /// Levels of a lower resolution are compared with the target at theirs.
  static let perceptual = GuideKind(
    "lpips", summary: "the target, by the perceptual distance LPIPS", example: "lpips:alexnet.pth,linear=alex.pth",
    value: "a file of torchvision's AlexNet or VGG-16, or of the whole lpips.LPIPS",
    options: [("linear", "LPIPS' linear weights: weights/v0.1/alex.pth or vgg.pth of the lpips package")], top: .best
  ) { arguments, setting in
    guard let path = arguments.value() else {
      throw arguments.error("needs weights, as in lpips:alexnet.pth,linear=alex.pth")
    }
    try requireColours(arguments, setting)
    let lpips = try LPIPS(
      StateDictionary(contentsOf: URL(fileURLWithPath: path)),
      linear: arguments.option("linear").map { try StateDictionary(contentsOf: URL(fileURLWithPath: $0)) },
      device: setting.device)
    return PreparedTargetGuide { targets in
      let target = TargetEmbeddings(targets, lpips)
      return FeatureDistanceGuide(
        targetFeatures: target.sized, features: lpips.embeddings,
        valuesPerImage: try target.sized(height: targets.shape[2], width: targets.shape[3]).shape[1], averages: false)
    }
  }
}

/// The embeddings of targets at every level's resolution.
private final class TargetEmbeddings {
  private let target: Target
  private let lpips: LPIPS
  private var cache: [[Int]: Tensor] = [:]

  /// - Parameters:
  ///   - images: `[B, C, H, W]` in [-1, 1].
  ///   - lpips: embeds them.
  init(_ images: Tensor, _ lpips: LPIPS) {
    target = Target(images)
    self.lpips = lpips
  }

  /// `[B, D]`; cached.
  func sized(height: Int, width: Int) throws -> Tensor {
    if let cached = cache[[height, width]] { return cached }
    let embeddings = try lpips.embeddings(of: target.sized(height: height, width: width))
    cache[[height, width]] = embeddings
    return embeddings
  }
}
