import CVips
import Synchronization

/// libvips, initialized once per process.
enum Vips {
  /// Limits on the side and the pixel count of an image that is read or drawn.
  static let maxSide = Int(CVIPS_MAX_SIDE)
  static let maxPixels = Int(CVIPS_MAX_PIXELS)

  private static let isInitialized = cvips_init() == 0
  private static let failures = Mutex(())

  /// Runs one call of the shim.
  ///
  /// - Parameter call: without effect when it fails; returns a status, negative with the reason in libvips's error buffer.
  /// - Returns: the status.
  /// - Throws: `ImageError` with libvips's reason after `problem`.
  @discardableResult
  static func run(_ problem: String, remedy: String, _ call: () -> Int32) throws(ImageError) -> Int32 {
    guard isInitialized else { throw ImageError(problem: "\(problem): \(takeReason())", remedy: remedy) }
    var status = call()
    if status >= 0 { return status }
    // The error buffer is one for all threads, so another failure may have taken the reason: failures repeat one at a time.
    let reason = failures.withLock { _ in
      vips_error_clear()
      status = call()
      return status < 0 ? takeReason() : ""
    }
    guard status >= 0 else { throw ImageError(problem: "\(problem): \(reason)", remedy: remedy) }
    return status
  }

  /// Copies and releases a buffer of libvips's.
  static func take(_ bytes: UnsafeMutableRawPointer, count: Int) -> [UInt8] {
    defer { g_free(bytes) }
    return [UInt8](UnsafeRawBufferPointer(start: bytes, count: count))
  }

  /// The error buffer as one line; clears it.
  private static func takeReason() -> String {
    guard let buffer = vips_error_buffer_copy() else { return "no reason given" }
    defer { g_free(buffer) }
    let lines = String(cString: buffer).split(whereSeparator: \.isNewline)
    return lines.isEmpty ? "no reason given" : lines.joined(separator: ", ")
  }
}
