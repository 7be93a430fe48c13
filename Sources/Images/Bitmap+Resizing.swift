import CVips

/// How an image is resized.
public enum ResamplingFilter: String, Sendable, CaseIterable {
  /// Lanczos-3 to shrink, bicubic to enlarge.
  case lanczos
  /// The mean over the area of each new pixel.
  case box
}

extension Bitmap {
  /// Resized; the aspect ratio may change.
  ///
  /// - Throws: `ImageError` with libvips's reason.
  public func resized(
    width: Int, height: Int, filter: ResamplingFilter = .lanczos
  ) throws(ImageError) -> Bitmap {
    precondition(width > 0 && height > 0, "a bitmap of \(width) x \(height) has no pixels")
    if (width, height) == (self.width, self.height) { return self }
    switch filter {
    case .lanczos: return try lanczos(width: width, height: height)
    case .box:
      let values = BoxFilter.resize(
        from: (self.height, self.width), to: (height, width), channels: channels
      ) { Double(pixels[$0]) }
      return Bitmap(width: width, height: height, channels: channels, pixels: values.map { UInt8($0.rounded()) })
    }
  }

  private func lanczos(width: Int, height: Int) throws(ImageError) -> Bitmap {
    var resized: UnsafeMutablePointer<UInt8>?
    try Vips.run("the image cannot be resized to \(width) x \(height)", remedy: "choose another size") {
      cvips_resize(
        pixels, Int32(self.width), Int32(self.height), Int32(channels), Int32(width), Int32(height), &resized)
    }
    return Bitmap(
      width: width, height: height, channels: channels,
      pixels: Vips.take(resized!, count: width * height * channels))
  }
}

extension Bitmap {
  /// The largest square in the middle.
  public func centerSquare() -> Bitmap { centered(width: min(width, height), height: min(width, height)) }

  /// The part in the middle.
  public func centered(width: Int, height: Int) -> Bitmap {
    cropped(x: (self.width - width) / 2, y: (self.height - height) / 2, width: width, height: height)
  }
}
