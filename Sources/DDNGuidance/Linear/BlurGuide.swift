import DDN
import DDNFiles
import DDNPictures
import Foundation
import Images
import Torch

/// A blurred version, for deblurring.
///
/// Levels of a low resolution are compared with the observation's area average. Blurring an image of repeated pixels and
/// averaging it again is itself a convolution of the small image, with a small kernel: that one is used.
public struct BlurMeasurement: Measurement {
  private let target: Target
  private let kernel: BlurKernel

  /// - Parameters:
  ///   - images: `[B, C, H, W]` in [-1, 1], not yet blurred.
  ///   - kernel: at the resolution of the images.
  public init(_ images: Tensor, kernel: BlurKernel) throws(TorchError) {
    target = Target(try kernel.blurred(images))
    self.kernel = kernel
  }

  public func comparison(height: Int, width: Int) throws -> Comparison {
    let shape = target.images.shape
    let observation = try target.sized(height: height, width: width)
    guard shape[2] % height == 0, shape[3] % width == 0, shape[2] / height == shape[3] / width else {
      return Comparison(observation: try target.sized(height: shape[2], width: shape[3])) {
        try kernel.blurred($0.resizedArea(height: shape[2], width: shape[3]))
      }
    }
    let small = kernel.coarsened(by: shape[2] / height)
    return Comparison(observation: observation) { try small.blurred($0) }
  }

  public func picture() -> Tensor { target.images }
}

/// Weights of a pixel's neighbours, which sum to 1. Beyond its edges an image repeats its last pixels.
public struct BlurKernel: Equatable, Sendable {
  /// The kernel has `2 * radius + 1` pixels on a side.
  public let radius: Int
  public let weights: [Double]

  var side: Int { 2 * radius + 1 }

  /// - Parameters:
  ///   - radius: 0 or more.
  ///   - weights: rows of `2 * radius + 1`, 0 or more, at least one above; they are scaled to sum to 1.
  public init(radius: Int, weights: [Double]) {
    precondition(weights.count == (2 * radius + 1) * (2 * radius + 1), "\(weights.count) weights of radius \(radius)")
    let sum = weights.reduce(0, +)
    self.radius = radius
    self.weights = weights.map { $0 / sum }
  }

  /// - Parameter deviation: in pixels.
  public static func gaussian(deviation: Double) -> BlurKernel {
    let radius = Int((3 * deviation).rounded(.up))
    let line = (-radius...radius).map { exp(-Double($0 * $0) / (2 * deviation * deviation)) }
    return BlurKernel(radius: radius, weights: line.flatMap { row in line.map { row * $0 } })
  }

  /// A straight line, as a moving camera's.
  ///
  /// - Parameters:
  ///   - length: in pixels, above 0.
  ///   - degrees: from the horizontal, counterclockwise.
  public static func motion(length: Double, degrees: Double) -> BlurKernel {
    let radius = Int((length / 2).rounded(.up))
    var weights = [Double](repeating: 0, count: (2 * radius + 1) * (2 * radius + 1))
    let (dx, dy) = (cos(degrees * .pi / 180), -sin(degrees * .pi / 180))
    let steps = max(1, Int(length * 16))
    for step in 0..<steps {
      let place = (Double(step) + 0.5 - Double(steps) / 2) / Double(steps) * length
      let (column, row) = (Int((place * dx).rounded()) + radius, Int((place * dy).rounded()) + radius)
      weights[row * (2 * radius + 1) + column] += 1
    }
    return BlurKernel(radius: radius, weights: weights)
  }

  /// The kernel of images `factor` times as small: of repeating every pixel, blurring, and averaging again.
  public func coarsened(by factor: Int) -> BlurKernel {
    guard factor > 1 else { return self }
    let small = (radius + factor - 1) / factor
    var weights = [Double](repeating: 0, count: (2 * small + 1) * (2 * small + 1))
    // Of a small pixel's `factor` pixels on a side, how many see which neighbour at an offset.
    func shares(_ offset: Int) -> [(neighbour: Int, share: Double)] {
      let low = Int((Double(offset) / Double(factor)).rounded(.down))
      let beyond = Double(offset - low * factor) / Double(factor)
      return [(low, 1 - beyond), (low + 1, beyond)].filter { $0.1 > 0 }
    }
    for row in -radius...radius {
      for column in -radius...radius {
        let weight = self.weights[(row + radius) * side + column + radius]
        for (y, yShare) in shares(row) {
          for (x, xShare) in shares(column) {
            weights[(y + small) * (2 * small + 1) + x + small] += weight * yShare * xShare
          }
        }
      }
    }
    return BlurKernel(radius: small, weights: weights)
  }

  private static let padOperator = Operator("aten::replication_pad2d")

  /// - Parameter images: `[N, C, h, w]`.
  public func blurred(_ images: Tensor) throws(TorchError) -> Tensor {
    guard radius > 0 else { return images }
    let shape = images.shape
    let padded = try Self.padOperator.tensor(
      .tensor(images.reshaped([shape[0] * shape[1], 1, shape[2], shape[3]])), .ints([radius, radius, radius, radius]))
    let kernel = try Tensor(weights.map { Float($0) }, shape: [1, 1, side, side]).to(images.device)
    return try padded.convolved(kernel, bias: nil).reshaped(shape)
  }
}

extension GuideKind {
  static let blur = GuideKind(
    "blur", summary: "the target blurred by a Gaussian: deblurs it", example: "blur:2",
    value: "standard deviation, in pixels"
  ) { arguments, setting in
    let side = Double(setting.imageShape[1])
    let kernel = BlurKernel.gaussian(
      deviation: try arguments.numberValue("the standard deviation", in: 0.1...max(side / 4, 1)))
    return PreparedMeasurement { try BlurMeasurement($0.requireTargets(), kernel: kernel) }
  }

  static let motionBlur = GuideKind(
    "motion", summary: "the target blurred by a motion: deblurs it", example: "motion:9,angle=30",
    value: "length, in pixels", options: [("angle", "in degrees from the horizontal, counterclockwise (default: 0)")]
  ) { arguments, setting in
    let kernel = BlurKernel.motion(
      length: try arguments.numberValue("the length", in: 1...Double(setting.imageShape[1])),
      degrees: try arguments.numberOption("angle", in: -360...360, default: 0))
    return PreparedMeasurement { try BlurMeasurement($0.requireTargets(), kernel: kernel) }
  }

  static let kernelBlur = GuideKind(
    "kernel", summary: "the target blurred by a kernel picture: deblurs it", example: "kernel:psf.png",
    value: "a picture with an odd number of pixels on a side; white weighs most, black nothing"
  ) { arguments, setting in
    guard let path = arguments.value() else { throw arguments.error("needs a picture, as in kernel:psf.png") }
    let bitmap = try PNG.read(URL(fileURLWithPath: path), channels: .gray)
    let limit = 2 * setting.imageShape[1] - 1
    guard bitmap.width == bitmap.height, bitmap.width % 2 == 1, bitmap.width <= limit else {
      throw FileError(
        .invalid, path: path, problem: "a kernel of \(bitmap.width) x \(bitmap.height) pixels cannot be centred",
        remedy: "make it square with an odd side of at most \(limit)")
    }
    guard bitmap.pixels.contains(where: { $0 > 0 }) else {
      throw FileError(.invalid, path: path, problem: "this kernel is black", remedy: "paint what weighs white")
    }
    let kernel = BlurKernel(radius: bitmap.width / 2, weights: bitmap.pixels.map(Double.init))
    return PreparedMeasurement { try BlurMeasurement($0.requireTargets(), kernel: kernel) }
  }
}
