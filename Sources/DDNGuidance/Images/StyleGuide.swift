import DDN
import DDNVision
import Foundation
import Torch

extension GuideKind {
  /// Source: the original's style sampler.
  static let style = GuideKind(
    "style", summary: "the first features of a classifier (ResNet-18 or VGG-11): colours and textures",
    example: "style:resnet18.pth", value: "a file of torchvision's weights"
  ) { arguments, setting in
    guard let path = arguments.value() else { throw arguments.error("needs weights, as in style:resnet18.pth") }
    try requireColours(arguments, setting)
    let features = try StyleFeatures(
      StateDictionary(contentsOf: URL(fileURLWithPath: path)), device: setting.device)
    return PreparedTargetGuide { targets in
      let target = try features(targets)
      return FeatureDistanceGuide(
        targetFeatures: { _, _ in target }, features: { try features($0) }, valuesPerImage: target.shape[1],
        averages: true)
    }
  }

  /// Networks of images read one channel, which is repeated, or three.
  static func requireColours(_ arguments: GuideArguments, _ setting: Setting) throws(GuideError) {
    guard [1, 3].contains(setting.imageShape[0]) else {
      throw arguments.error("needs images of 1 or 3 channels, and this model's have \(setting.imageShape[0])")
    }
  }
}
