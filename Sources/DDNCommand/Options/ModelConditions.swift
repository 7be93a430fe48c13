import DDN
import DDNPictures
import Foundation
import Images
import Torch

// Options of what a model is conditioned on, checked against the model.

extension Model {
  /// - Throws: `UsageError` for a class that the model lacks.
  func check(classIndex: Int?) throws {
    let classes = network.classes
    guard let classIndex, !(0..<classes).contains(classIndex) else { return }
    throw UsageError(
      classes == 0
        ? "--class \(classIndex): this model has no classes; leave the option out"
        : "--class \(classIndex) is not within 0...\(classes - 1)")
  }

  /// The image of `--condition-image`, center-cropped and resized: `[1, C, H, W]`; nil for a model without conditions on
  /// images.
  ///
  /// - Parameters:
  ///   - path: nil when the option is not given.
  ///   - isOptional: whether other images replace it; the result is then nil without a path.
  ///   - device: of the model.
  /// - Throws: `UsageError` when it is missing or of no use; `FileError` when it cannot be read.
  func conditionImage(_ path: String?, isOptional: Bool = false, device: Device) throws -> Tensor? {
    let kinds = network.conditions.filter(\.needsImages)
    guard let path else {
      guard let kind = kinds.first, !isOptional else { return nil }
      throw UsageError("this model is conditioned on an image ('\(kind)'); give it with --condition-image")
    }
    guard !kinds.isEmpty else {
      throw UsageError("--condition-image \(path): this model is not conditioned on images; leave it out")
    }
    return try PNG.read(URL(fileURLWithPath: path), fittedTo: network.imageShape).tensor().to(device)
  }
}
