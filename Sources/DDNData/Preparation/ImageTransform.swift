import Images

/// Makes pictures of any size into pictures of one size.
public struct ImageTransform: Sendable {
  /// What is cut away first.
  public enum Crop: String, Sendable, CaseIterable {
    /// All but the largest square in the middle.
    case square = "center-crop"
    /// Rows above and below, so that the rest is as wide as the resolution asks; black fills up to a square.
    case wide = "center-crop-wide"
  }

  /// Pixels, before black is added.
  public let width: Int
  public let height: Int
  /// Nil to stretch the whole picture.
  public let crop: Crop?
  public let filter: ResamplingFilter

  /// Pixels on a side of what comes out.
  public var side: Int { width }

  public init(width: Int, height: Int, crop: Crop? = nil, filter: ResamplingFilter = .lanczos) {
    self.width = width
    self.height = height
    self.crop = crop
    self.filter = filter
  }

  /// What makes this transform impossible, if anything: networks take squares with a side of a power of two.
  public var objection: String? {
    guard (1...4096).contains(width), width & (width - 1) == 0 else {
      return "a width of \(width) is not a power of two from 1 to 4096"
    }
    if crop == .wide {
      return (1...width).contains(height) ? nil : "a height of \(height) is not within the square of \(width)"
    }
    return height == width ? nil : "\(width) x \(height) is not square; only center-crop-wide makes that one"
  }

  /// - Throws: `ImageError` when the picture is too small to be cropped wide, or with libvips's reason.
  /// - Source: the EDM dataset tool, whose wide crop however keeps too many rows and squeezes them, and whose crops turn
  ///   gray pictures into RGB.
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
