import DDN
import Torch

/// A guide that needs the candidates' images; a bounded number of them is in memory at a time.
public protocol ImageGuide: Guide {
  /// The numbers that scoring one image keeps in memory, if more than its own.
  var valuesPerImage: Int { get }

  /// Scores of some images: `[B, n]`, higher is better.
  ///
  /// - Parameters:
  ///   - images: `[R, n, C, h, w]` in [-1, 1].
  ///   - paths: which row each of the B images of the batch reads.
  func scores(ofImages images: Tensor, paths: SharedPaths) throws -> Tensor
}

extension ImageGuide {
  public var valuesPerImage: Int { 0 }

  public func scores(of candidates: Candidates) throws -> Tensor {
    let ofImage = max(candidates.imageShape.reduce(1, *), valuesPerImage)
    let count = max(1, min(candidates.nodes, mostValues / (candidates.paths.rows * ofImage)))
    let parts = try stride(from: 0, to: candidates.nodes, by: count).map { first in
      try scores(
        ofImages: candidates.images(of: first..<min(first + count, candidates.nodes)), paths: candidates.paths)
    }
    return try parts.count == 1 ? parts[0] : .concatenate(parts, dimension: 1)
  }

  /// Of images in memory at once: 64 MiB.
  private var mostValues: Int { 1 << 24 }
}
