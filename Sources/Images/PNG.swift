import CVips
import DDNFiles
import Foundation

/// The channels of a decoded image.
public enum ChannelChoice: Int32, Sendable {
  /// Gray when the file is gray, RGB otherwise.
  case asStored = 0
  /// libvips's luminance, computed in linear light; PIL's "L" differs by a few values.
  case gray = 1
  case rgb = 3
}

/// Encodes PNG files; decodes every format that libvips reads.
public enum PNG {
  /// Encodes a PNG file; deterministic.
  ///
  /// - Throws: `ImageError` with libvips's reason.
  public static func encode(_ bitmap: Bitmap) throws(ImageError) -> Data {
    var bytes: UnsafeMutableRawPointer?
    var count = 0
    try Vips.run("the image cannot be encoded as PNG", remedy: "make it smaller") {
      cvips_encode_png(
        bitmap.pixels, Int32(bitmap.width), Int32(bitmap.height), Int32(bitmap.channels), &bytes, &count)
    }
    return Data(Vips.take(bytes!, count: count))
  }

  /// Decodes a PNG file, or another format that libvips reads, such as JPEG or WebP.
  ///
  /// EXIF orientation is applied, transparency is blended with white, and samples become 8-bit (floats from [0, 1]).
  /// Of an animation, the first frame.
  ///
  /// - Throws: `ImageError` for truncated files, samples of unknown range (floats outside [0, 1], 16-bit samples that
  ///   fit 12 bits, other integers), and images of more than 16,384 pixels on a side or 2^26 in all; the size is
  ///   checked before memory is allocated.
  public static func decode(_ data: Data, channels choice: ChannelChoice = .asStored) throws(ImageError) -> Bitmap {
    try decode(data, channels: choice, isOurs: false)
  }

  /// Decodes a file, of JPEG XL only if `isOurs`: if this process wrote it.
  static func decode(_ data: Data, channels choice: ChannelChoice, isOurs: Bool) throws(ImageError) -> Bitmap {
    let remedy = "use a complete PNG, JPEG or WebP file"
    var pixels: UnsafeMutablePointer<UInt8>?
    var (width, height, channels): (Int32, Int32, Int32) = (0, 0, 0)
    let status = try run(data, remedy: remedy) {
      cvips_decode($0.baseAddress, $0.count, choice.rawValue, isOurs ? 1 : 0, &pixels, &width, &height, &channels)
    }
    guard status == 0 else { throw refusal(status, width, height) }
    return Bitmap(
      width: Int(width), height: Int(height), channels: Int(channels),
      pixels: Vips.take(pixels!, count: Int(width) * Int(height) * Int(channels)))
  }

  /// The size of an image file, from its header, before anything is decoded.
  ///
  /// - Throws: `ImageError` when it is no image that `decode` reads.
  public static func size(of data: Data) throws(ImageError) -> (width: Int, height: Int) {
    let remedy = "use a complete PNG, JPEG or WebP file"
    var (width, height): (Int32, Int32) = (0, 0)
    let status = try run(data, remedy: remedy) { cvips_size($0.baseAddress, $0.count, &width, &height) }
    guard status == 0 else { throw refusal(status, width, height) }
    return (Int(width), Int(height))
  }

  /// Calls libvips with a file's content.
  private static func run(
    _ data: Data, remedy: String, _ call: (UnsafeRawBufferPointer) -> Int32
  ) throws(ImageError) -> Int32 {
    guard !data.isEmpty else { throw ImageError(problem: "the file is empty, not an image", remedy: remedy) }
    do throws(ImageError) {
      return try Vips.run("not a readable image", remedy: remedy) { data.withUnsafeBytes(call) }
    } catch {
      throw error.problem.contains("operation is blocked") ? untrusted : error
    }
  }

  private static let untrusted = ImageError(
    problem: "the decoder of this image format, such as BMP, TGA or JPEG XL, is unsafe for untrusted files",
    remedy: "save the image as PNG")

  /// What a positive status of the shim says.
  private static func refusal(_ status: Int32, _ width: Int32, _ height: Int32) -> ImageError {
    switch Int(status) {
    case CVIPS_OPAQUE:
      ImageError(problem: "has no transparency", remedy: "leave unpainted what is unknown, and save it as PNG")
    case CVIPS_UNTRUSTED: untrusted
    default:
      ImageError(
        problem: "\(width) x \(height) pixels are too many (\(Vips.maxSide) on a side, \(Vips.maxPixels) in all)",
        remedy: "make the image smaller")
    }
  }

  /// Reads the opacity of an image file, as gray: 255 is opaque.
  ///
  /// - Throws: `FileError` naming the file, for one that `read` refuses or without transparency.
  public static func readOpacity(_ url: URL) throws(FileError) -> Bitmap {
    let data = try InputFile.map(url)
    do throws(ImageError) { return try opacity(of: data) } catch {
      throw FileError(.invalid, path: url.path, error)
    }
  }

  /// The opacity of an image file's content, as gray: 255 is opaque.
  ///
  /// - Throws: `ImageError` for content that `decode` refuses, or without transparency.
  public static func opacity(of data: Data) throws(ImageError) -> Bitmap {
    let remedy = "use a complete PNG file"
    var pixels: UnsafeMutablePointer<UInt8>?
    var (width, height): (Int32, Int32) = (0, 0)
    let status = try run(data, remedy: remedy) {
      cvips_decode_opacity($0.baseAddress, $0.count, &pixels, &width, &height)
    }
    guard status == 0 else { throw refusal(status, width, height) }
    return Bitmap(
      width: Int(width), height: Int(height), channels: 1, pixels: Vips.take(pixels!, count: Int(width) * Int(height)))
  }

  /// Reads an image file.
  ///
  /// - Throws: `FileError` naming the file: see `decode`.
  public static func read(_ url: URL, channels: ChannelChoice = .asStored) throws(FileError) -> Bitmap {
    let data = try InputFile.map(url)
    do {
      return try decode(data, channels: channels)
    } catch {
      throw FileError(.invalid, path: url.path, error)
    }
  }
}

extension Bitmap {
  /// Writes a PNG file atomically.
  ///
  /// - Throws: `FileError` naming the file and the reason.
  public func write(to url: URL) throws(FileError) {
    let data: Data
    do {
      data = try PNG.encode(self)
    } catch {
      throw FileError(.failed, path: url.path, error)
    }
    try AtomicFile.write(data, to: url)
  }
}
