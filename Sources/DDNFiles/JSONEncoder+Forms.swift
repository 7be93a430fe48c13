import Foundation

extension JSONEncoder {
  /// Indented, with sorted keys: for files that people read.
  public static var readable: JSONEncoder {
    let encoder = oneLine
    encoder.outputFormatting.insert(.prettyPrinted)
    return encoder
  }

  /// One line with sorted keys, so that equal values have equal bytes.
  public static var oneLine: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return encoder
  }
}
