import DDN
import DDNData
import DDNEvaluation
import DDNFiles
import Torch

/// The images that runs are measured on: seeded subsets of the training images and, if there are any, of test images.
public struct AblationImages {
  /// Images in memory.
  public struct Part {
    /// As in reports.
    public let name: String
    public let images: TrainingImages
    /// Of the subset.
    public let fingerprint: DatasetFingerprint
    public var count: Int { images.count }
  }

  public let training: Part
  /// Nil when the training images are all there is.
  public let test: Part?
  /// Random codes to draw.
  public let samples: Int

  /// - Parameters:
  ///   - training: the data set that is learned.
  ///   - test: other images of the same shape; nil for none.
  ///   - count: of each part at most, and of random codes; at least 2.
  ///   - device: of the networks.
  /// - Throws: `FileError` for an image that cannot be decoded, or a part with fewer than two images; `TorchError`.
  public init(training: ImageDataset, test: ImageDataset?, count: Int, device: Device) throws {
    precondition(count >= 2, "\(count) images have no covariance")
    self.training = try Self.part(of: training, count, device)
    self.test = try test.map { try Self.part(of: $0, count, device) }
    samples = count
  }

  private static func part(of dataset: ImageDataset, _ count: Int, _ device: Device) throws -> Part {
    guard dataset.count >= 2 else {
      throw FileError(
        .invalid, path: dataset.name, problem: "has fewer than two images", remedy: "give at least two to measure")
    }
    let indices = ImageSubset.indices(count: dataset.count, number: min(count, dataset.count), seed: 0)
    let subset = ImageDataset(
      name: dataset.name, channels: dataset.channels, side: dataset.side, pixels: try dataset.pixels(of: indices),
      labels: dataset.labels.map { labels in indices.map { labels[$0] } })
    return Part(
      name: dataset.name, images: try TrainingImages(subset, device: device),
      fingerprint: try DatasetFingerprint(subset))
  }

  /// The test images beside a data set: its own test split, or those that the shipped digits keep back.
  ///
  /// - Parameters:
  ///   - training: the data set that is learned.
  ///   - open: opens a split; see `openImages`.
  /// - Returns: nil when the format has no splits, or the test split is missing.
  /// - Throws: `FileError` for a damaged test split.
  public static func testSplit(
    beside training: ImageDataset, open: (DatasetSplit) throws -> any ImageSource
  ) throws -> ImageDataset? {
    let test: ImageDataset
    do { test = try ImageDataset(open(.test), cacheBytes: 0) } catch let error as FileError where error.kind == .missing
    {
      return nil
    }
    return try DatasetFingerprint(test) == DatasetFingerprint(training) ? nil : test
  }
}
