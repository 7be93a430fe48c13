import CVips

/// libvips's process-wide state: its version.
public enum LibVips {
  /// The version of the libvips in use, such as "8.14.1".
  public static var version: String { String(cString: vips_version_string()) }
}
