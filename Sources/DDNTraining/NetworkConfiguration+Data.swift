import DDN
import DDNData
import DDNFiles

extension NetworkConfiguration {
  /// What images are checked for, which decides the remedy.
  public enum Purpose: Sendable {
    case training
    case reconstructing
  }

  /// Refuses images that the network cannot learn from or reconstruct.
  ///
  /// - Parameter path: of the images, for the message.
  /// - Throws: `FileError` (`invalid`) when their shape or their classes do not fit the network.
  public func check(
    _ images: ImageDataset, path: String, as purpose: Purpose = .training
  ) throws(FileError) {
    guard images.imageShape == imageShape else {
      let isChosen = purpose == .training && Self.suited(toImagesOf: images.imageShape) != type(of: architecture)
      throw FileError(
        .invalid, path: path,
        problem: "holds images of \(Self.words(images.imageShape)), and the network takes \(Self.words(imageShape))",
        remedy: "make such with ddn dataset convert --resolution \(imageShape[1])x\(imageShape[2])"
          + " --channels \(imageShape[0] == 1 ? "gray" : "rgb")" + (isChosen ? ", or leave --arch out" : ""))
    }
    for case .classNumber(let classes) in architecture.conditions where !(1...classes).contains(images.classes) {
      throw FileError(
        .invalid, path: path,
        problem: images.labels == nil
          ? "has no classes" : "has \(images.classes) classes, and the network has \(classes)",
        remedy: purpose == .training
          ? "leave --cond out, or choose other images" : "choose images with the classes that it was trained on")
    }
  }

  /// "32 x 32 gray".
  private static func words(_ shape: [Int]) -> String {
    "\(shape[1]) x \(shape[2]) \(shape[0] == 1 ? "gray" : "RGB")"
  }
}
