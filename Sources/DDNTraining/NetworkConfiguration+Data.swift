import DDN
import DDNData
import DDNFiles

extension NetworkConfiguration {
  /// The use of the images, for the error's remedy.
  public enum Purpose: Sendable {
    case training
    case reconstructing
  }

  /// Checks that images fit the network.
  ///
  /// - Parameter path: the images' path, for the message.
  /// - Throws: `FileError` (`invalid`) when their shape or classes do not fit.
  public func check(
    _ images: ImageDataset, path: String, as purpose: Purpose = .training
  ) throws(FileError) {
    guard images.imageShape == imageShape else {
      let isChosen = purpose == .training && Self.suited(toImagesOf: images.imageShape) != type(of: architecture)
      throw FileError(
        .invalid, path: path,
        problem: "holds images of \(Self.text(of: images.imageShape)), but the \(type(of: architecture).noun) takes "
          + Self.text(of: imageShape),
        remedy: "convert them with ddn dataset convert --resolution \(imageShape[1])x\(imageShape[2])"
          + " --channels \(imageShape[0] == 1 ? "gray" : "rgb")" + (isChosen ? ", or leave --arch out" : ""))
    }
    for case .classNumber(let classes) in architecture.conditions where !(1...classes).contains(images.classes) {
      throw FileError(
        .invalid, path: path,
        problem: images.labels == nil
          ? "has no classes" : "has \(images.classes) classes, but the network has \(classes)",
        remedy: purpose == .training
          ? "leave --cond out, or choose other images" : "choose images with the network's classes")
    }
  }

  /// "32 x 32 gray".
  private static func text(of shape: [Int]) -> String {
    "\(shape[1]) x \(shape[2]) \(shape[0] == 1 ? "gray" : "RGB")"
  }
}
