import DDN
import DDNFiles
import DDNPictures
import Foundation
import Images
import Torch

/// Some pixels, for inpainting, for strokes of a brush, or for compressed sensing.
public struct MaskMeasurement: Measurement {
  private let observation: Tensor
  private let mask: Tensor  // [1, 1, H, W]

  /// - Parameters:
  ///   - images: `[B, C, H, W]` in [-1, 1].
  ///   - mask: `[H, W]`, how much each pixel counts: 0 or more.
  public init(_ images: Tensor, mask: Tensor) throws(TorchError) {
    observation = images
    self.mask = try mask.reshaped([1, 1] + mask.shape)
  }

  /// The painted pixels of a picture, in a network's resolution.
  ///
  /// - Parameters:
  ///   - picture: blended with white where it is transparent, of the network's channels.
  ///   - opacity: gray, 255 where the picture is opaque, of the picture's size.
  ///   - imageShape: `[C, H, W]`.
  ///   - device: of the network.
  /// - Returns: nil when every pixel is transparent.
  /// - Throws: `ImageError`; `TorchError`.
  public init?(strokes picture: Bitmap, opacity: Bitmap, imageShape: [Int], device: Device) throws {
    let opacity = try (opacity.fitted(to: [1] + imageShape[1...]).tensor() + 1) * 0.5
    guard try opacity.sum().item() > 0.5 else { return nil }
    // x = a c + (1 - a) with white 1, so c is known where a is not 0.
    let blended = try picture.fitted(to: imageShape).tensor()
    let colour = try ((blended + opacity - 1) / opacity.clamped(1e-3...1)).clamped(-1...1)
    try self.init(colour.to(device), mask: opacity.reshaped(Array(opacity.shape[2...])).to(device))
  }

  public func comparison(height: Int, width: Int) throws -> Comparison {
    let channels = Double(observation.shape[1])
    let divisor = try (mask.sum().item() + 1e-5) * channels
    return try .replicated(observation, weight: mask, height: height, width: width, divisor: divisor)
  }

  /// Unknown pixels are mid-gray.
  public func picture() throws -> Tensor { try observation * mask.clamped(0...1) }
}

/// Masks as they are typed.
enum MaskPicture {
  static let meaning = """
    a built-in mask (\(BuiltInMask.allCases.map(\.name).joined(separator: ", ")), or 0 to 9; not-left and so on for \
    complements) or a picture
    """

  /// - Parameters:
  ///   - text: a built-in mask's name or number, or a picture: white pixels count, black ones do not.
  ///   - arguments: for messages.
  ///   - setting: of the run.
  /// - Returns: `[H, W]` in 0...1.
  static func read(_ text: String, _ arguments: GuideArguments, _ setting: GuideKind.Setting) throws -> Tensor {
    let (height, width) = (setting.imageShape[1], setting.imageShape[2])
    if let mask = BuiltInMask(text) {
      return try Tensor(mask.pixels(height: height, width: width), shape: [height, width]).to(setting.device)
    }
    if text.hasPrefix("not-"), let mask = BuiltInMask(String(text.dropFirst(4))) {
      let pixels = mask.pixels(height: height, width: width).map { 1 - $0 }
      return try Tensor(pixels, shape: [height, width]).to(setting.device)
    }
    guard text.contains("/") || text.contains(".") || FileManager.default.fileExists(atPath: text) else {
      throw arguments.error("'\(text)' is neither a file nor \(meaning)")
    }
    let bitmap = try PNG.read(URL(fileURLWithPath: text), channels: .gray)
    guard bitmap.width == bitmap.height else {
      throw FileError(
        .invalid, path: text, problem: "a mask of \(bitmap.width) x \(bitmap.height) pixels does not fit square images",
        remedy: "make it square, such as \(width) x \(height)")
    }
    let mask = try ((bitmap.tensor() + 1) * 0.5).resizedArea(height: height, width: width).reshaped([height, width])
    guard try mask.sum().item() > 0.5 else {
      throw FileError(
        .invalid, path: text, problem: "this mask is black, so no pixel counts", remedy: "paint what is known white")
    }
    return try mask.to(setting.device)
  }
}

extension GuideKind {
  /// Source: the original's masked L2 sampler.
  static let mask = GuideKind(
    "mask", summary: "some pixels of the target: inpainting", example: "mask:top",
    value: MaskPicture.meaning + ", white where pixels are known"
  ) { arguments, setting in
    guard let text = arguments.value() else {
      throw arguments.error("needs a mask, as in mask:top: \(MaskPicture.meaning)")
    }
    let mask = try MaskPicture.read(text, arguments, setting)
    return PreparedMeasurement { try MaskMeasurement($0.requireTargets(), mask: mask) }
  }

  /// The pixels are the same for all targets.
  static let randomPixels = GuideKind(
    "pixels", summary: "random pixels of the target: compressed sensing", example: "pixels:0.1",
    value: "the fraction of known pixels", options: [("seed", "of the choice of pixels (default: 0)")]
  ) { arguments, setting in
    let fraction = try arguments.numberValue("the fraction of known pixels", in: 0...1)
    let seed = try arguments.integerOption("seed", in: 0...Int(UInt32.max), default: 0)
    let (height, width) = (setting.imageShape[1], setting.imageShape[2])
    let known = max(1, Int((fraction * Double(height * width)).rounded()))
    var (twister, pixels) = (MersenneTwister(seed: UInt64(seed)), [Float](repeating: 0, count: height * width))
    let order = pixels.indices.map { ($0, twister.next()) }.sorted { ($0.1, $0.0) < ($1.1, $1.0) }
    for (pixel, _) in order.prefix(known) { pixels[pixel] = 1 }
    let mask = try Tensor(pixels, shape: [height, width]).to(setting.device)
    return PreparedMeasurement { try MaskMeasurement($0.requireTargets(), mask: mask) }
  }

  /// The picture's transparency is the mask.
  static let strokes = GuideKind(
    "strokes", summary: "painted pixels of a picture with transparency: colour strokes", example: "strokes:drawing.png",
    value: "a PNG file with transparency"
  ) { arguments, setting in
    guard let path = arguments.value() else { throw arguments.error("needs a picture, as in strokes:drawing.png") }
    let url = URL(fileURLWithPath: path)
    let picture = try PNG.read(url, channels: setting.imageShape[0] == 1 ? .gray : .rgb)
    let measurement = try MaskMeasurement(
      strokes: picture, opacity: PNG.readOpacity(url), imageShape: setting.imageShape, device: setting.device)
    guard let measurement else {
      throw FileError(
        .invalid, path: path, problem: "every pixel is transparent, so no stroke counts", remedy: "paint on it")
    }
    return PreparedMeasurement(needsTargets: false) { _ in measurement }
  }
}
