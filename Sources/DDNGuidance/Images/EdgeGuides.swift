import DDN
import DDNFiles
import DDNPictures
import Foundation
import Images
import Torch

/// Agreement with the edges of a picture: the negative mean absolute difference of Sobel magnitudes of the gray.
///
/// Source: the original's edge sampler.
public struct EdgeGuide: ImageGuide {
  private let magnitudes: Tensor  // [B, 1, H - 2, W - 2]

  /// - Parameter images: `[B, C, H, W]` in [-1, 1], at least 3 pixels on a side.
  public init(_ images: Tensor) throws(TorchError) { magnitudes = try images.sobelMagnitudes() }

  public var valuesPerImage: Int { 4 * magnitudes.shape[2] * magnitudes.shape[3] }

  public func scores(ofImages images: Tensor, paths: SharedPaths) throws -> Tensor {
    let found = try images.sobelMagnitudes(height: magnitudes.shape[2] + 2, width: magnitudes.shape[3] + 2)
    return try (paths.perSample(found) - magnitudes).absolute().mean([2, 3]) * -1
  }
}

/// Agreement with a drawing: the cosine similarity of its strokes and an image's edges, both blurred.
///
/// A cosine ignores how strong the edges are, and the blur forgives strokes that are a little off.
public struct SketchGuide: ImageGuide {
  private let strokes: Tensor  // [1, 1, (H - 2)(W - 2)], of unit length
  private let side: Int
  private static let blur = BlurKernel.gaussian(deviation: 1)

  /// - Parameter drawing: `[1, 1, H, W]` in [-1, 1], dark strokes on a light ground; at least 3 pixels on a side.
  public init(_ drawing: Tensor) throws(TorchError) {
    side = drawing.shape[2]
    let inner = try drawing.slice(2, 1..<side - 1).slice(3, 1..<side - 1)
    strokes = try Self.direction(of: (inner * -0.5) + 0.5)
  }

  public var valuesPerImage: Int { 4 * side * side }

  public func scores(ofImages images: Tensor, paths: SharedPaths) throws -> Tensor {
    let edges = try images.sobelMagnitudes(height: side, width: side)
    return try paths.perSample((Self.direction(of: edges) * strokes).sum([2]))
  }

  /// Blurred, and of unit length: `[N, n, h, w]` to `[N, n, h w]`.
  private static func direction(of maps: Tensor) throws(TorchError) -> Tensor {
    let shape = maps.shape
    let flat = try blur.blurred(maps).reshaped([shape[0], shape[1], shape[2] * shape[3]])
    return try flat / (flat.squared().sum([2], keepingDimensions: true) + 1e-12).squareRoot()
  }
}

extension GuideKind {
  static let edges = GuideKind(
    "edges", summary: "the target's edges (Sobel)", example: "edges"
  ) { arguments, setting in
    try requireSides(arguments, setting)
    return PreparedTargetGuide { try EdgeGuide($0) }
  }

  static let sketch = GuideKind(
    "sketch", summary: "a drawing's strokes as edges", example: "sketch:drawing.png",
    value: "a picture of dark strokes on a light ground"
  ) { arguments, setting in
    try requireSides(arguments, setting)
    guard let path = arguments.value() else { throw arguments.error("needs a picture, as in sketch:drawing.png") }
    let drawing = try PNG.read(URL(fileURLWithPath: path), fittedTo: [1] + setting.imageShape[1...])
    guard !drawing.isConstant else {
      throw FileError(.invalid, path: path, problem: "has no strokes", remedy: "draw dark strokes on a light ground")
    }
    return FixedGuide(try SketchGuide(drawing.tensor().to(setting.device)))
  }

  private static func requireSides(_ arguments: GuideArguments, _ setting: Setting) throws(GuideError) {
    guard setting.imageShape[1] >= 8 else { throw arguments.error("needs images of at least 8 x 8 pixels") }
  }
}

extension Tensor {
  /// Sobel magnitudes of the gray: `[N, C, H, W]` to `[N, 1, H - 2, W - 2]`.
  fileprivate func sobelMagnitudes() throws(TorchError) -> Tensor {
    let kernels = try Tensor(
      [-1, 0, 1, -2, 0, 2, -1, 0, 1] + [1, 2, 1, 0, 0, 0, -1, -2, -1] as [Float], shape: [2, 1, 3, 3]
    ).to(device)
    return try mean([1], keepingDimensions: true).convolved(kernels, bias: nil).squared()
      .sum([1], keepingDimensions: true).squareRoot()
  }

  /// Of `[R, n, C, h, w]`, enlarged or shrunk bilinearly: `[R, n, height - 2, width - 2]`.
  fileprivate func sobelMagnitudes(height: Int, width: Int) throws(TorchError) -> Tensor {
    let shape = shape
    return try mean([2]).reshaped([shape[0] * shape[1], 1] + shape[3...]).resizedBilinear(height: height, width: width)
      .sobelMagnitudes().reshaped([shape[0], shape[1], height - 2, width - 2])
  }
}
