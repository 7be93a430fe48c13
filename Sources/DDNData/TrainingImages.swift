import DDN
import DDNFiles
import DDNPictures
import Torch

/// A data set as batches of tensors: cached data sets are on the device as uint8, others are decoded per batch.
public final class TrainingImages: EncodingSource {
  /// For run folders and model cards.
  public let name: String
  /// Twice the data set's count with mirrored images.
  public let count: Int
  /// Channels, height and width.
  public let imageShape: [Int]
  /// One more than the highest class; 0 without classes.
  public let classes: Int

  private let device: Device
  /// N, without mirrored images.
  private let sourceCount: Int
  private enum Pixels {
    /// `[N, C, H, W]` uint8.
    case tensor(Tensor)
    case streamed(ImageDataset)
  }
  private let pixels: Pixels
  /// `[N]` int64; zeros without classes.
  private let labels: Tensor
  private var readAhead: ReadAhead?

  /// - Parameters:
  ///   - dataset: the images.
  ///   - xflip: adds the mirror image of image i as image i + N.
  ///   - device: of the batches.
  /// - Throws: `TorchError` when the device is out of memory; `FileError`.
  public init(_ dataset: ImageDataset, xflip: Bool = false, device: Device) throws {
    self.device = device
    name = dataset.name
    sourceCount = dataset.count
    count = xflip ? 2 * sourceCount : sourceCount
    imageShape = dataset.imageShape
    classes = dataset.classes
    pixels =
      try dataset.cachedPixels.map { .tensor(try Tensor($0, shape: [dataset.count] + dataset.imageShape).to(device)) }
      ?? .streamed(dataset)
    labels = try Tensor(
      dataset.labels ?? [Int](repeating: 0, count: dataset.count), shape: [dataset.count]
    ).to(device)
  }

  public convenience init(_ digits: DigitDataset, device: Device) throws {
    try self.init(ImageDataset(digits), device: device)
  }

  /// Starts prefetching the batches of an order; no effect on cached images. Other batches remain available.
  public func follow(_ order: BatchOrder, batch: Int) {
    guard case .streamed(let dataset) = pixels else { return }
    readAhead = ReadAhead(order, batch: batch) { indices in
      do throws(FileError) { return .success(try dataset.pixels(of: indices.map { $0 % dataset.count })) } catch {
        return .failure(error)
      }
    }
  }

  /// A batch: `[B, C, H, W]` float32 in [-1, 1], and classes `[B]` int64.
  ///
  /// - Throws: `TorchError`; `FileError` naming an image that cannot be decoded.
  public func batch(_ indices: [Int]) throws -> (images: Tensor, classes: Tensor) {
    let sources = indices.map { $0 % sourceCount }
    let places = try Tensor(sources, shape: [indices.count]).to(device)
    let images = try self.images(indices, sources, places)
    let mirrored = indices.indices.filter { indices[$0] >= sourceCount }
    if !mirrored.isEmpty {
      let rows = try Tensor(mirrored, shape: [mirrored.count]).to(device)
      let columns = try Tensor(Array((0..<imageShape[2]).reversed()), shape: [imageShape[2]]).to(device)
      try images.copyRows(at: rows, from: images.gathered(rows).gathered(columns, dimension: 3))
    }
    return (try images.unitRange(), try labels.gathered(places))
  }

  public func images(in range: Range<Int>) throws -> (images: Tensor, classes: Tensor?) {
    let (images, classes) = try batch(Array(range))
    return (images, classes)
  }

  /// `[B, C, H, W]` uint8 before mirroring; a fresh tensor that the caller may modify.
  private func images(_ indices: [Int], _ sources: [Int], _ places: Tensor) throws -> Tensor {
    switch pixels {
    case .tensor(let all): return try all.gathered(places)
    case .streamed(let dataset):
      let bytes = try readAhead?.take(indices) ?? dataset.pixels(of: sources)
      return try Tensor(bytes, shape: [indices.count] + imageShape).to(device)
    }
  }
}
