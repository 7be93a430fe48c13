import CVips
import Foundation

/// A rendered line of text: a mask of ink, 0 (none) to 255.
struct TextLine {
  /// One channel, cropped to the ink; nil for blank text.
  let ink: Bitmap?
  /// Rows between the line's top and its first ink; lines of one font size share a top and a baseline.
  let top: Int

  /// One past the last row of ink, counted from the line's top.
  var bottom: Int { top + (ink?.height ?? 0) }
  var width: Int { ink?.width ?? 0 }

  /// Fonts of Debian's default installations, then the system's.
  private static let families = "DejaVu Sans,Liberation Sans,Noto Sans,sans-serif"

  /// - Parameter size: font size in pixels.
  /// - Throws: `ImageError` when no font is installed or the text cannot be drawn.
  init(_ text: String, size: Int) throws(ImageError) {
    guard !text.allSatisfy(\.isWhitespace) else {
      ink = nil
      top = 0
      return
    }
    guard Self.hasFont else {
      throw ImageError(
        problem: "the label \"\(text)\" cannot be drawn: no font is installed",
        remedy: "install one, such as Debian's fonts-dejavu-core, or omit the labels")
    }
    (ink, top) = try Self.draw(text, size: size)
  }

  /// Whether any font is installed: without one, Pango draws every letter as a box of the same size.
  private static let hasFont: Bool = {
    guard let wide = try? draw("W", size: 16), let narrow = try? draw(".", size: 16) else { return false }
    return wide.ink.width != narrow.ink.width || wide.ink.height != narrow.ink.height
  }()

  private static func draw(_ text: String, size: Int) throws(ImageError) -> (ink: Bitmap, top: Int) {
    var pixels: UnsafeMutablePointer<UInt8>?
    var (width, height, top): (Int32, Int32, Int32) = (0, 0, 0)
    try Vips.run("the label \"\(text)\" cannot be drawn", remedy: "choose another label") {
      cvips_text(escaped(text), "\(families) \(size)", &pixels, &width, &height, &top)
    }
    let ink = Bitmap(
      width: Int(width), height: Int(height), channels: 1,
      pixels: Vips.take(pixels!, count: Int(width) * Int(height)))
    return (ink, Int(top))
  }

  /// libvips parses labels as markup.
  private static func escaped(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;")
      .replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: ">", with: "&gt;")
  }
}
