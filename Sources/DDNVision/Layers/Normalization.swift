import Torch

/// Images of zero mean and unit variance, as a network expects them.
struct Normalization {
  /// Of the training images' values in [0, 1], a number a channel.
  struct Statistics {
    var mean: [Double]
    var deviation: [Double]

    /// torchvision's networks, trained on ImageNet, and LPIPS.
    static let imageNet = Statistics(mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225])
    static let cifar10 = Statistics(mean: [0.4914, 0.4822, 0.4465], deviation: [0.2471, 0.2435, 0.2616])
    static let clip = Statistics(
      mean: [0.481_454_66, 0.457_827_5, 0.408_210_73], deviation: [0.268_629_54, 0.261_302_58, 0.275_777_11])
  }

  /// `[1, 3, 1, 1]`.
  private let scale: Tensor
  private let shift: Tensor

  init(_ statistics: Statistics, device: Device) throws(TorchError) {
    // ((x + 1) / 2 - mean) / deviation
    let pairs = zip(statistics.mean, statistics.deviation)
    scale = try Tensor(pairs.map { Float(0.5 / $1) }, shape: [1, 3, 1, 1]).to(device)
    shift = try Tensor(pairs.map { Float((0.5 - $0) / $1) }, shape: [1, 3, 1, 1]).to(device)
  }

  /// Normalizes images.
  ///
  /// - Parameter images: `[N, C, H, W]` in [-1, 1]; one channel is repeated.
  /// - Returns: `[N, 3, H, W]`.
  func callAsFunction(_ images: Tensor) throws(TorchError) -> Tensor {
    precondition([1, 3].contains(images.shape[1]), "images have 1 or 3 channels, not \(images.shape[1])")
    return try images * scale + shift  // One channel broadcasts to three.
  }
}
