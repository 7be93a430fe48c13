import CVips

/// An 8-bit image in memory, gray or RGB.
public struct Bitmap: Sendable, Equatable {
  public let width: Int
  public let height: Int
  /// 1 (gray) or 3 (RGB).
  public let channels: Int
  /// `[height, width, channels]`, from the top row down.
  public private(set) var pixels: [UInt8]

  /// - Parameters:
  ///   - width: in pixels.
  ///   - height: in pixels.
  ///   - channels: 1 (gray) or 3 (RGB).
  ///   - pixels: `[height, width, channels]`.
  public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
    precondition(width > 0 && height > 0, "a bitmap of \(width) x \(height) has no pixels")
    precondition(channels == 1 || channels == 3, "\(channels) channels are neither gray (1) nor RGB (3)")
    precondition(
      pixels.count == width * height * channels,
      "\(pixels.count) values do not fill \(width) x \(height) pixels of \(channels) channels")
    self.width = width
    self.height = height
    self.channels = channels
    self.pixels = pixels
  }

  /// "64 x 48 gray", for messages.
  public var summary: String { Self.summary(width: width, height: height, channels: channels) }

  /// "64 x 48 gray", for messages.
  public static func summary(width: Int, height: Int, channels: Int) -> String {
    "\(width) x \(height) \(channels == 1 ? "gray" : "RGB")"
  }

  /// A bitmap of one shade.
  public init(width: Int, height: Int, channels: Int, shade: UInt8) {
    self.init(
      width: width, height: height, channels: channels,
      pixels: [UInt8](repeating: shade, count: width * height * channels))
  }

  /// Whether all pixels are equal.
  public var isConstant: Bool {
    var place = channels
    while place < pixels.count {
      if pixels[place] != pixels[place - channels] { return false }
      place += 1
    }
    return true
  }

  /// Nearest-neighbour enlargement by an integer factor.
  public func zoomed(by factor: Int) -> Bitmap {
    precondition(factor >= 1, "the zoom factor \(factor) is below 1")
    guard factor > 1 else { return self }
    var zoomed: [UInt8] = []
    zoomed.reserveCapacity(pixels.count * factor * factor)
    let rowLength = width * channels
    for rowStart in stride(from: 0, to: pixels.count, by: rowLength) {
      let zoomedRowStart = zoomed.count
      for pixel in stride(from: rowStart, to: rowStart + rowLength, by: channels) {
        for _ in 0..<factor { zoomed.append(contentsOf: pixels[pixel..<pixel + channels]) }
      }
      let zoomedRow = zoomed[zoomedRowStart...]
      for _ in 1..<factor { zoomed.append(contentsOf: zoomedRow) }
    }
    return Bitmap(width: width * factor, height: height * factor, channels: channels, pixels: zoomed)
  }

  /// Converted to gray or RGB.
  ///
  /// - Throws: `ImageError` with libvips's reason.
  public func converted(to choice: ChannelChoice) throws(ImageError) -> Bitmap {
    switch (choice, channels) {
    case (.rgb, 1): return inRGB()
    case (.gray, 3):
      var gray: UnsafeMutablePointer<UInt8>?
      try Vips.run("the image cannot be converted to gray", remedy: "make it smaller") {
        cvips_gray(pixels, Int32(width), Int32(height), &gray)
      }
      return Bitmap(width: width, height: height, channels: 1, pixels: Vips.take(gray!, count: width * height))
    default: return self
    }
  }

  /// The rectangle with its top left corner at (`x`, `y`), which must lie within the image.
  public func cropped(x: Int, y: Int, width: Int, height: Int) -> Bitmap {
    precondition(
      x >= 0 && y >= 0 && x + width <= self.width && y + height <= self.height,
      "\(width) x \(height) at (\(x), \(y)) leaves a bitmap of \(self.width) x \(self.height)")
    var cropped: [UInt8] = []
    cropped.reserveCapacity(width * height * channels)
    for row in y..<y + height {
      let start = (row * self.width + x) * channels
      cropped += pixels[start..<start + width * channels]
    }
    return Bitmap(width: width, height: height, channels: channels, pixels: cropped)
  }

  /// Gray copied into 3 channels; RGB as it is.
  func inRGB() -> Bitmap {
    guard channels == 1 else { return self }
    return Bitmap(width: width, height: height, channels: 3, pixels: pixels.flatMap { [$0, $0, $0] })
  }

  /// Overwrites the rectangle with its top left corner at (`x`, `y`); `image` must fit and have the same channels.
  public mutating func paste(_ image: Bitmap, x: Int, y: Int) {
    precondition(image.channels == channels, "\(image.channels) channels cannot be pasted onto \(channels)")
    precondition(
      x >= 0 && y >= 0 && x + image.width <= width && y + image.height <= height,
      "\(image.width) x \(image.height) at (\(x), \(y)) leaves a bitmap of \(width) x \(height)")
    let rowLength = image.width * channels
    for row in 0..<image.height {
      let target = ((y + row) * width + x) * channels
      let source = row * rowLength
      pixels.replaceSubrange(target..<target + rowLength, with: image.pixels[source..<source + rowLength])
    }
  }
}
