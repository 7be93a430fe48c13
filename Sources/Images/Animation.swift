import CVips
import DDNFiles
import Foundation

/// Pictures shown one after the other, for ever.
public struct Animation: Sendable {
  public enum Format: String, CaseIterable, Sendable {
    case gif
    case webp
  }

  /// All of one size.
  public let pictures: [Bitmap]
  /// How long each is shown.
  public let milliseconds: Int

  /// - Parameter pictures: at least one, with as many channels; smaller ones get a margin of `background` at the right
  ///   and below.
  public init(_ pictures: [Bitmap], milliseconds: Int, background: UInt8 = 255) {
    precondition(!pictures.isEmpty, "an animation needs a picture")
    let (width, height) = (pictures.map(\.width).max()!, pictures.map(\.height).max()!)
    self.pictures = pictures.map { picture in
      guard picture.width != width || picture.height != height else { return picture }
      var canvas = Bitmap(width: width, height: height, channels: picture.channels, shade: background)
      canvas.paste(picture, x: 0, y: 0)
      return canvas
    }
    self.milliseconds = milliseconds
  }

  /// The bytes of a file.
  ///
  /// - Throws: `ImageError` with libvips's reason.
  public func encode(_ format: Format) throws(ImageError) -> Data {
    let first = pictures[0]
    var bytes: UnsafeMutableRawPointer?
    var count = 0
    try Vips.run("this animation cannot be encoded as \(format)", remedy: "make it smaller or shorter") {
      cvips_encode_animation(
        pictures.flatMap(\.pixels), Int32(first.width), Int32(first.height), Int32(pictures.count),
        Int32(first.channels), Int32(milliseconds), format == .webp ? 1 : 0, &bytes, &count)
    }
    return Data(Vips.take(bytes!, count: count))
  }

  /// Writes a file, whole or not at all.
  ///
  /// - Throws: `FileError` naming the file and the reason.
  public func write(_ format: Format, to url: URL) throws(FileError) {
    let data: Data
    do { data = try encode(format) } catch {
      throw FileError(.failed, path: url.path, error)
    }
    try AtomicFile.write(data, to: url)
  }
}
