import Foundation

/// The font that a release carries for the labels in pictures.
enum ShippedFonts {
  /// Makes fontconfig read `fonts.conf` beside the program, where there is one and the environment names no other; call it
  /// before anything is drawn. That file includes the system's fonts.
  static func use() {
    let file = Bundle.main.bundleURL.appendingPathComponent("fonts.conf").path
    let names = ["FONTCONFIG_FILE", "FONTCONFIG_PATH", "FONTCONFIG_SYSROOT"]
    guard names.allSatisfy({ getenv($0) == nil }), FileManager.default.fileExists(atPath: file) else { return }
    setenv(names[0], file, 1)
  }
}
