import CVips
import Foundation

/// A lossy format of picture files, to compare with.
public enum PictureCodec: String, CaseIterable, Sendable, Codable {
  case jpeg, webp, avif
  case jpegXL = "jpeg-xl"

  /// "JPEG XL".
  public var name: String {
    switch self {
    case .jpeg: "JPEG"
    case .webp: "WebP"
    case .avif: "AVIF"
    case .jpegXL: "JPEG XL"
    }
  }

  /// Qualities from the one with the smallest files.
  public static let qualities = 0...99

  /// A quality in the format's own terms: "Q 5", "distance 14.85".
  public func setting(_ quality: Int) -> String {
    self == .jpegXL ? "distance \(formatQuality(quality))" : "Q \(Int(formatQuality(quality)))"
  }

  /// From `qualities` to Q of JPEG, WebP and AVIF, or the distance of JPEG XL.
  private func formatQuality(_ quality: Int) -> Double {
    switch self {
    case .webp: Double(quality)
    case .jpeg, .avif: Double(quality + 1)
    case .jpegXL: Double(100 - quality) * 15 / 100
    }
  }

  /// The slowest and smallest of libvips's settings, but for AVIF and JPEG XL, which get slow there for a percent or two.
  private var effort: Int32 {
    switch self {
    case .jpeg: 0
    case .webp: 6
    case .avif, .jpegXL: 7
    }
  }

  private var number: Int32 {
    switch self {
    case .jpeg: Int32(CVIPS_JPEG)
    case .webp: Int32(CVIPS_WEBP)
    case .avif: Int32(CVIPS_AVIF)
    case .jpegXL: Int32(CVIPS_JPEG_XL)
    }
  }

  /// Why this libvips cannot write and read the format; nil when it can.
  public var unavailableReason: String? {
    do {
      let picture = Bitmap(width: 16, height: 16, channels: 3, shade: 128)
      _ = try decode(encode(picture, quality: 50), like: picture)
      return nil
    } catch { return error.problem }
  }

  /// Encodes a picture without metadata.
  ///
  /// - Parameters:
  ///   - picture: gray or RGB.
  ///   - quality: one of `qualities`.
  /// - Returns: the bytes of a whole file.
  /// - Throws: `ImageError` with libvips's reason.
  public func encode(_ picture: Bitmap, quality: Int) throws(ImageError) -> Data {
    precondition(Self.qualities.contains(quality), "quality \(quality) is not within \(Self.qualities)")
    var bytes: UnsafeMutableRawPointer?
    var count = 0
    try Vips.run("the image cannot be encoded as \(name)", remedy: "install libvips with that format") {
      cvips_encode_lossy(
        picture.pixels, Int32(picture.width), Int32(picture.height), Int32(picture.channels), number,
        formatQuality(quality), effort, &bytes, &count)
    }
    return Data(Vips.take(bytes!, count: count))
  }

  /// Decodes a file that `encode` wrote.
  ///
  /// - Parameters:
  ///   - data: the file's bytes. JPEG XL must not come from strangers: its decoder is not hardened.
  ///   - original: the encoded picture, whose channels the result has.
  /// - Throws: `ImageError` when it cannot be decoded, or has another size than the original.
  public func decode(_ data: Data, like original: Bitmap) throws(ImageError) -> Bitmap {
    let channels: ChannelChoice = original.channels == 1 ? .gray : .rgb
    let picture = try PNG.decode(data, channels: channels, isOurs: true)
    vips_error_clear()  // Some decoders succeed and leave a message, which the next error would begin with.
    guard (picture.width, picture.height) == (original.width, original.height) else {
      throw ImageError(
        problem: "the \(name) file is \(picture.summary), not \(original.summary)", remedy: "encode that picture")
    }
    return picture
  }

  /// Bytes of a file of the same size and setting that shows one shade: what every such file spends.
  ///
  /// - Parameters:
  ///   - picture: gives width, height and channels.
  ///   - quality: one of `qualities`.
  /// - Throws: `ImageError` with libvips's reason.
  public func constantBytes(like picture: Bitmap, quality: Int) throws(ImageError) -> Int {
    try encode(
      Bitmap(width: picture.width, height: picture.height, channels: picture.channels, shade: 128), quality: quality
    ).count
  }
}
