import Images

/// Resizes images to one square size, with an optional crop.
public struct ImageTransform: Sendable {
  /// Applied before resizing.
  public enum Crop: String, Sendable, CaseIterable {
    /// The largest central square.
    case square = "center-crop"
    /// Full width, central rows at the resolution's aspect ratio; padded with black to a square.
    case wide = "center-crop-wide"
  }

  /// In pixels, before padding.
  public let width: Int
  public let height: Int
  /// Nil to stretch the whole image.
  public let crop: Crop?
  public let filter: ResamplingFilter

  public init(width: Int, height: Int, crop: Crop? = nil, filter: ResamplingFilter = .lanczos) {
    self.width = width
    self.height = height
    self.crop = crop
    self.filter = filter
  }

  /// Why the transform is invalid, if it is: networks need squares with a power-of-two side.
  public var validationError: String? {
    guard (1...4096).contains(width), width & (width - 1) == 0 else {
      return "a width of \(width) is not a power of two from 1 to 4096"
    }
    if crop == .wide {
      return (1...width).contains(height) ? nil : "the height \(height) is not within 1...\(width)"
    }
    return height == width ? nil : "\(width) x \(height) is not square, which only center-crop-wide allows"
  }

  /// - Throws: `ImageError` when the image is too small for a wide crop, or with libvips's reason.
  /// - Source: the EDM dataset tool, whose wide crop, however, keeps too many rows and squeezes them, and whose crops
  ///   turn gray images into RGB.
  func callAsFunction(_ bitmap: Bitmap) throws(ImageError) -> Bitmap {
    switch crop {
    case nil: return try bitmap.resized(width: width, height: height, filter: filter)
    case .square: return try bitmap.centerSquare().resized(width: width, height: height, filter: filter)
    case .wide:
      let rows = Int((Double(bitmap.width * height) / Double(width)).rounded())
      guard bitmap.width >= width, (1...bitmap.height).contains(rows) else {
        throw ImageError(
          problem: "is \(bitmap.width) x \(bitmap.height), too small or too flat for \(width) x \(height)",
          remedy: "choose a smaller or flatter --resolution")
      }
      let image = try bitmap.centered(width: bitmap.width, height: rows)
        .resized(width: width, height: height, filter: filter)
      var canvas = Bitmap(width: width, height: width, channels: image.channels, shade: 0)
      canvas.paste(image, x: 0, y: (width - height) / 2)
      return canvas
    }
  }
}
