import Torch

/// A network whose activations LPIPS compares.
public protocol PerceptualNetwork {
  /// Of the activations.
  var channels: [Int] { get }

  /// The most pixels of images at a time that keep the memory within a few hundred megabytes.
  var pixelLimit: Int { get }

  /// Activations of increasing depth, each `[N, channels[i], h, w]`.
  ///
  /// - Parameter images: `[N, C, H, W]` in [-1, 1], C 1 or 3, at least 64 pixels on a side.
  /// - Throws: `TorchError` when libtorch fails.
  func activations(of images: Tensor) throws -> [Tensor]
}
