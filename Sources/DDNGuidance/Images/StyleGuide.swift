import DDN
import DDNPictures
import DDNVision
import Foundation
import Images
import Torch

extension GuideKind {
  /// Source: the original's style sampler.
  static let style = GuideKind(
    "style", summary: "the first features of a classifier (ResNet-18 or VGG-11): colours and textures",
    example: "style:resnet18.pth", value: "a file of torchvision's weights",
    options: [("image", "a picture in place of the target")]
  ) { arguments, setting in
    guard let path = arguments.value() else { throw arguments.error("needs weights, as in style:resnet18.pth") }
    try requireColours(arguments, setting)
    let picture = try arguments.option("image").map { path in
      try PNG.read(URL(fileURLWithPath: path), fittedTo: setting.imageShape).tensor().to(setting.device)
    }
    let features = try StyleFeatures(
      StateDictionary(contentsOf: URL(fileURLWithPath: path)), device: setting.device)
    return PreparedFeatureGuide(picture: picture) { targets in
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

/// A guide that is made of each batch's targets, or of a picture.
struct PreparedFeatureGuide: PreparedGuide {
  private let picture: Tensor?
  private let make: (Tensor) throws -> any Guide

  /// - Parameters:
  ///   - picture: `[1, C, H, W]` in [-1, 1]; nil for the targets.
  ///   - make: of `[B, C, H, W]` or the picture.
  init(picture: Tensor?, _ make: @escaping (Tensor) throws -> any Guide) {
    self.picture = picture
    self.make = make
  }

  var needsTargets: Bool { picture == nil }

  func guide(for batch: GuideBatch) throws -> any Guide { try make(picture ?? batch.requireTargets()) }

  func picture(for batch: GuideBatch) throws -> Tensor? {
    guard let picture else { return try batch.requireTargets() }
    return try picture.expanded([batch.count] + picture.shape[1...])
  }
}
