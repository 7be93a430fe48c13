import DDN
import DDNData
import DDNFiles

extension NetworkConfiguration {
  /// What images are checked for, which decides what there is to advise.
  public enum Purpose: Sendable {
    case training
    case reconstructing
  }

  /// Refuses images that the network cannot learn from or reconstruct.
  ///
  /// - Parameter path: where the images are, for the message.
  /// - Throws: `FileError` (`invalid`) when the network does not take such images or classes.
  public func check(
    _ images: ImageDataset, path: String, as purpose: Purpose = .training
  ) throws(FileError) {
    switch self {
    case .recurrent(let configuration):
      guard images.imageShape == [1, 32, 32] else {
        throw FileError(
          .invalid, path: path,
          problem: "holds images of \(Self.words(images.imageShape)), and the recurrent network takes 32 x 32 gray",
          remedy: "make such with ddn dataset convert --resolution 32x32 --channels gray"
            + (purpose == .training ? ", or leave --arch out" : ""))
      }
      guard configuration.isClassConditional else { return }
      guard (1...10).contains(images.classes) else {
        throw FileError(
          .invalid, path: path,
          problem: images.labels == nil
            ? "has no classes" : "has \(images.classes) classes, and the recurrent network knows 10",
          remedy: purpose == .training
            ? "leave --cond out, or choose other images" : "choose images with classes 0 to 9")
      }
    case .pyramid(let configuration):
      let shape = [configuration.imageChannels, configuration.resolution, configuration.resolution]
      guard images.imageShape == shape else {
        throw FileError(
          .invalid, path: path,
          problem: "holds images of \(Self.words(images.imageShape)), and the network takes \(Self.words(shape))",
          remedy: "make such with ddn dataset convert --resolution \(shape[1])x\(shape[1])"
            + " --channels \(shape[0] == 1 ? "gray" : "rgb")")
      }
      for case .classNumber(let classes) in configuration.conditions where !(1...classes).contains(images.classes) {
        throw FileError(
          .invalid, path: path, problem: "has \(images.classes) classes, and the network knows \(classes)",
          remedy: "choose the images that it was trained on")
      }
    }
  }

  /// "32 x 32 gray".
  private static func words(_ shape: [Int]) -> String {
    "\(shape[1]) x \(shape[2]) \(shape[0] == 1 ? "gray" : "RGB")"
  }
}
