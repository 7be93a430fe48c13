import DDN
import Torch

/// A guide that needs the candidates' images; a bounded number of them is in memory at a time.
public protocol ImageGuide: Guide {
  /// Scores of some images: `[B, n]`, higher is better.
  ///
  /// - Parameters:
  ///   - images: `[R, n, C, h, w]` in [-1, 1].
  ///   - paths: which row each of the B images of the batch reads.
  func scores(ofImages images: Tensor, paths: SharedPaths) throws -> Tensor
}

extension ImageGuide {
  /// The most pixel values of images in memory at once.
  private var limit: Int { 1 << 26 }

  public func scores(of candidates: Candidates) throws -> Tensor {
    let shape = candidates.features.shape  // [R, F, h, w]
    let ofNode = shape[0] * candidates.weights.shape[1] * shape[2] * shape[3]
    let count = max(1, min(candidates.nodes, limit / ofNode))
    let parts = try stride(from: 0, to: candidates.nodes, by: count).map { first in
      try scores(
        ofImages: candidates.images(of: first..<min(first + count, candidates.nodes)), paths: candidates.paths)
    }
    return try parts.count == 1 ? parts[0] : .concatenate(parts, dimension: 1)
  }
}

/// The negative mean absolute difference to a target.
public struct AbsoluteGuide: ImageGuide {
  private let target: Target

  /// - Parameter images: `[B, C, H, W]` in [-1, 1].
  public init(_ images: Tensor) { target = Target(images) }

  public func scores(ofImages images: Tensor, paths: SharedPaths) throws -> Tensor {
    let shape = images.shape
    let target = try target.sized(height: shape[3], width: shape[4])
    return try (paths.perSample(images) - target.reshaped([-1, 1] + shape[2...])).absolute().mean([2, 3, 4]) * -1
  }
}

/// Agreement with the edges of a picture: the negative mean absolute difference of Sobel magnitudes of the gray.
public struct EdgeGuide: ImageGuide {
  private let magnitudes: Tensor  // [B, 1, H - 2, W - 2]

  /// - Parameter images: `[B, C, H, W]` in [-1, 1], at least 3 pixels on a side.
  public init(_ images: Tensor) throws(TorchError) { magnitudes = try Self.magnitudes(of: images) }

  public func scores(ofImages images: Tensor, paths: SharedPaths) throws -> Tensor {
    let shape = images.shape
    let (height, width) = (magnitudes.shape[2] + 2, magnitudes.shape[3] + 2)
    let sized = try images.reshaped([shape[0] * shape[1]] + shape[2...])
      .resizedBilinear(height: height, width: width)
    let found = try Self.magnitudes(of: sized).reshaped([shape[0], shape[1], height - 2, width - 2])
    return try (paths.perSample(found) - magnitudes).absolute().mean([2, 3]) * -1
  }

  /// `[N, C, H, W]` to `[N, 1, H - 2, W - 2]`.
  private static func magnitudes(of images: Tensor) throws(TorchError) -> Tensor {
    let kernels = try Tensor(
      [-1, 0, 1, -2, 0, 2, -1, 0, 1] + [1, 2, 1, 0, 0, 0, -1, -2, -1] as [Float], shape: [2, 1, 3, 3]
    ).to(images.device)
    return try images.mean([1], keepingDimensions: true).convolved(kernels, bias: nil).squared()
      .sum([1], keepingDimensions: true).squareRoot()
  }
}
