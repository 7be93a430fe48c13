import Foundation
import Torch

/// Finds the numbers that the original code made, `Tests/Golden`.
public enum Golden {
  /// - Parameter path: below the folder, such as `A/torch_rand.safetensors`.
  public static func url(_ path: String) -> URL {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Golden").appending(path: path)
  }

  public static func safetensors(_ path: String) throws -> SafetensorsFile {
    try SafetensorsFile(contentsOf: url(path))
  }
}
