import CVips
import DDNFiles
import Foundation

/// Which channels a decoded picture gets.
public enum ChannelChoice: Int32, Sendable {
  /// Gray when the file is gray, RGB otherwise.
  case asStored = 0
  /// Colours become libvips's luminance, which weighs linear light; PIL's "L" differs by a few values.
  case gray = 1
  case rgb = 3
}

/// Bitmaps to and from image files: writes PNG, reads what libvips reads.
public enum PNG {
  /// The bytes of a PNG file; the same pixels always give the same bytes.
  ///
  /// - Throws: `ImageError` with libvips's reason.
  public static func encode(_ bitmap: Bitmap) throws(ImageError) -> Data {
    var bytes: UnsafeMutableRawPointer?
    var count = 0
    try Vips.run("this picture cannot be encoded as PNG", remedy: "make it smaller") {
      cvips_encode_png(
        bitmap.pixels, Int32(bitmap.width), Int32(bitmap.height), Int32(bitmap.channels), &bytes, &count)
    }
    return Data(Vips.take(bytes!, count: count))
  }

  /// The picture in the bytes of an image file: PNG, or another kind that libvips reads, such as JPEG or WebP.
  ///
  /// Turned as its EXIF data says; transparent parts become white; other depths become 8 bits, floats from 0 to 1.
  /// Of an animation, the first picture.
  ///
  /// - Throws: `ImageError` when the bytes are no whole image, have samples whose range is not known (floats outside
  ///   0...1, 16-bit samples that would fit 12 bits, other integers), or declare more than 16,384 pixels on a side or
  ///   2^26 in all; that is checked before memory is taken for them.
  public static func decode(_ data: Data, channels choice: ChannelChoice = .asStored) throws(ImageError) -> Bitmap {
    let remedy = "choose a whole PNG, JPEG or WebP file"
    guard !data.isEmpty else { throw ImageError(problem: "this is empty, not an image", remedy: remedy) }
    var pixels: UnsafeMutablePointer<UInt8>?
    var (width, height, channels): (Int32, Int32, Int32) = (0, 0, 0)
    let status: Int32
    do throws(ImageError) {
      status = try Vips.run("this is no image that can be read", remedy: remedy) {
        data.withUnsafeBytes { bytes in
          cvips_decode(bytes.baseAddress, bytes.count, choice.rawValue, &pixels, &width, &height, &channels)
        }
      }
    } catch {
      guard error.problem.contains("operation is blocked") else { throw error }
      throw ImageError(
        problem: "this is an image of a rare kind, such as BMP or TGA, whose decoder is not safe with files of others",
        remedy: "save it as PNG")
    }
    guard status == 0 else {
      throw ImageError(
        problem: "\(width) x \(height) pixels are too many (\(Vips.maxSide) on a side, \(Vips.maxPixels) in all)",
        remedy: "make the picture smaller")
    }
    return Bitmap(
      width: Int(width), height: Int(height), channels: Int(channels),
      pixels: Vips.take(pixels!, count: Int(width) * Int(height) * Int(channels)))
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
  /// Writes a PNG file, whole or not at all.
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
