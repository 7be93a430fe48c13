import DDNData
import DDNFiles
import Torch

/// A data set in memory, whose images cannot change.
public struct DatasetImages: FeatureSource {
  private let dataset: ImageDataset

  public let identity: String
  public var count: Int { dataset.count }
  public var labels: [Int]? { dataset.labels }
  public var name: String { dataset.name }

  /// - Throws: `FileError` naming an image that cannot be decoded.
  public init(_ dataset: ImageDataset) throws(FileError) {
    self.dataset = dataset
    let print = try DatasetFingerprint(dataset)
    identity = "data set \(print.images) \(print.shape) \(print.names) \(print.labels ?? 0) \(print.pixels)"
  }

  public func pixels(in range: Range<Int>) throws -> [Tensor] {
    [try Tensor(dataset.pixels(of: Array(range)), shape: [range.count] + dataset.imageShape)]
  }
}
