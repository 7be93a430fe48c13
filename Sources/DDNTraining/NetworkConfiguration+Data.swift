import DDN
import DDNData
import DDNFiles

extension NetworkConfiguration {
  /// Refuses images that the network cannot learn from or reconstruct.
  ///
  /// - Parameter path: where the images are, for the message.
  /// - Throws: `FileError` (`invalid`) when the network does not take such images or classes.
  public func check(_ images: ImageDataset, path: String) throws(FileError) {
    switch self {
    case .recurrent(let configuration):
      guard images.imageShape == [1, 32, 32] else {
        throw FileError(
          .invalid, path: path,
          problem: "holds images of \(images.side) x \(images.side) \(images.channels == 1 ? "gray" : "RGB"), and the "
            + "recurrent network takes 32 x 32 gray",
          remedy: "make such with ddn dataset convert --resolution 32x32 --channels gray")
      }
      guard configuration.isClassConditional else { return }
      guard (1...10).contains(images.classes) else {
        throw FileError(
          .invalid, path: path,
          problem: images.labels == nil
            ? "has no classes" : "has \(images.classes) classes, and the recurrent network knows 10",
          remedy: "leave --cond out, or choose other images")
      }
    }
  }
}
