import CVips
import DDNFiles
import Foundation

/// An endless animation.
public struct Animation: Sendable {
  public enum Format: String, CaseIterable, Sendable {
    case gif
    case webp
  }

  /// All of one size.
  public let frames: [Bitmap]
  /// Duration of a frame.
  public let milliseconds: Int

  /// - Parameters:
  ///   - frames: at least one, all with the same channels; smaller ones are padded with `background` at the right and
  ///     bottom.
  ///   - milliseconds: per frame.
  ///   - background: behind transparent pixels.
  public init(_ frames: [Bitmap], milliseconds: Int, background: UInt8 = 255) {
    precondition(!frames.isEmpty, "an animation needs at least one frame")
    let (width, height) = (frames.map(\.width).max()!, frames.map(\.height).max()!)
    self.frames = frames.map { frame in
      guard frame.width != width || frame.height != height else { return frame }
      var canvas = Bitmap(width: width, height: height, channels: frame.channels, shade: background)
      canvas.paste(frame, x: 0, y: 0)
      return canvas
    }
    self.milliseconds = milliseconds
  }

  /// Encodes the animation.
  ///
  /// - Throws: `ImageError` with libvips's reason.
  public func encode(_ format: Format) throws(ImageError) -> Data {
    let first = frames[0]
    var bytes: UnsafeMutableRawPointer?
    var count = 0
    try Vips.run("the animation cannot be encoded as \(format)", remedy: "make it smaller or shorter") {
      cvips_encode_animation(
        frames.flatMap(\.pixels), Int32(first.width), Int32(first.height), Int32(frames.count),
        Int32(first.channels), Int32(milliseconds), format == .webp ? 1 : 0, &bytes, &count)
    }
    return Data(Vips.take(bytes!, count: count))
  }

  /// Writes a file atomically.
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
