import Torch

/// Images that a network is trained on or tried on, all on one device.
public struct TrainingImages {
  /// What a run folder and a model card call them.
  public let name: String
  /// `[N, C, H, W]` uint8.
  private let pixels: Tensor
  /// `[N]` int64.
  private let labels: Tensor
  public let count: Int

  /// - Throws: `TorchError` when the device has no room for them.
  public init(_ digits: DigitDataset, device: Device) throws(TorchError) {
    name = digits.name
    count = digits.count
    let side = DigitDataset.side
    pixels = try Tensor(digits.images, shape: [digits.count, 1, side, side]).to(device)
    labels = try Tensor(digits.labels.map(Int.init), shape: [digits.count]).to(device)
  }

  /// The images at `indices`: `[B, C, H, W]` float32 in [-1, 1], and their classes, `[B]` int64.
  public func batch(_ indices: [Int]) throws(TorchError) -> (images: Tensor, classes: Tensor) {
    let places = try Tensor(indices, shape: [indices.count]).to(pixels.device)
    let images = try (pixels.gathered(places).to(.float32) * (1 / 127.5)) - 1
    return (images, try labels.gathered(places))
  }
}
