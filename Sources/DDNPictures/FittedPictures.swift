import DDN
import Foundation
import Images
import Torch

extension Bitmap {
  /// Center-cropped and resized to a network's resolution.
  ///
  /// - Parameter imageShape: `[C, H, W]`; C must be the picture's.
  public func fitted(to imageShape: [Int]) throws(ImageError) -> Bitmap {
    try centerSquare().resized(width: imageShape[2], height: imageShape[1])
  }
}

extension PNG {
  /// Reads a picture of any format and size, center-cropped, at a network's resolution and channels.
  ///
  /// - Parameter imageShape: `[C, H, W]`.
  /// - Throws: `FileError` when it is missing or cannot be decoded; `ImageError`.
  public static func read(_ url: URL, fittedTo imageShape: [Int]) throws -> Bitmap {
    try read(url, channels: imageShape[0] == 1 ? .gray : .rgb).fitted(to: imageShape)
  }
}

/// Pictures to encode.
public struct PictureSource: EncodingSource {
  private let pictures: [Bitmap]
  private let device: Device

  /// - Parameters:
  ///   - pictures: must have the network's shape.
  ///   - device: of the network.
  public init(_ pictures: [Bitmap], device: Device) {
    self.pictures = pictures
    self.device = device
  }

  public var count: Int { pictures.count }

  public func images(in range: Range<Int>) throws -> (images: Tensor, classes: Tensor?) {
    (try .concatenate(pictures[range].map { try $0.tensor() }).to(device), nil)
  }
}
