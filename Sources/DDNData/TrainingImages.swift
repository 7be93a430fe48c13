import DDN
import DDNFiles
import DDNPictures
import Torch

/// Images that a network is trained on or tried on: on one device as bytes when the data set is in memory, otherwise
/// decoded as they are asked for.
public final class TrainingImages: EncodingSource {
  /// What a run folder and a model card call them.
  public let name: String
  /// Twice as many as the data set has when it is mirrored, too.
  public let count: Int
  /// Channels, height and width.
  public let imageShape: [Int]
  /// One more than the highest class; 0 when images have none.
  public let classes: Int

  private let device: Device
  /// N, without mirror images.
  private let sourceCount: Int
  private enum Pixels {
    /// `[N, C, H, W]` uint8.
    case tensor(Tensor)
    case decodedWhenAsked(ImageDataset)
  }
  private let pixels: Pixels
  /// `[N]` int64; zeros when images have no class.
  private let labels: Tensor
  private var readAhead: ReadAhead?

  /// - Parameter xflip: adds every image's mirror image: image i's is number i + N.
  /// - Throws: `TorchError` when the device has no room for them; `FileError`.
  public init(_ dataset: ImageDataset, xflip: Bool = false, device: Device) throws {
    self.device = device
    name = dataset.name
    sourceCount = dataset.count
    count = xflip ? 2 * sourceCount : sourceCount
    imageShape = dataset.imageShape
    classes = dataset.classes
    pixels =
      try dataset.cachedPixels.map { .tensor(try Tensor($0, shape: [dataset.count] + dataset.imageShape).to(device)) }
      ?? .decodedWhenAsked(dataset)
    labels = try Tensor(
      dataset.labels ?? [Int](repeating: 0, count: dataset.count), shape: [dataset.count]
    ).to(device)
  }

  public convenience init(_ digits: DigitDataset, device: Device) throws {
    try self.init(ImageDataset(digits), device: device)
  }

  /// Prepares to be asked for the batches of an order from now on; without effect on images in memory.
  ///
  /// Other images can still be asked for.
  public func follow(_ order: BatchOrder, batch: Int) {
    guard case .decodedWhenAsked(let dataset) = pixels else { return }
    readAhead = ReadAhead(order, batch: batch) { indices in
      do throws(FileError) { return .success(try dataset.pixels(of: indices.map { $0 % dataset.count })) } catch {
        return .failure(error)
      }
    }
  }

  /// The images at `indices`: `[B, C, H, W]` float32 in [-1, 1], and their classes, `[B]` int64.
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

  /// `[B, C, H, W]` uint8, not yet mirrored, which nobody else has.
  private func images(_ indices: [Int], _ sources: [Int], _ places: Tensor) throws -> Tensor {
    switch pixels {
    case .tensor(let all): return try all.gathered(places)
    case .decodedWhenAsked(let dataset):
      let bytes = try readAhead?.take(indices) ?? dataset.pixels(of: sources)
      return try Tensor(bytes, shape: [indices.count] + imageShape).to(device)
    }
  }
}
