import Archives
import DDNFiles
import Foundation

/// Reads images and optional labels from an npy file or an npz archive.
///
/// Images are `[N, H, W]` or `[N, H, W, 1 or 3]` uint8, labels `[N]` or `[N, 1]` of any integer type.
enum NumPyImages {
  /// Known pairs of array names.
  private static func names(_ split: DatasetSplit) -> [(images: String, labels: String)] {
    [("x_\(split)", "y_\(split)"), ("\(split)_images", "\(split)_labels")] + [
      ("images", "labels"), ("x", "y"), ("X", "Y"), ("data", "labels"), ("arr_0", "arr_1"),
    ]
  }

  /// Whether all of an archive's entries are npy files.
  static func areArrays(_ archive: ZipArchive) -> Bool {
    !archive.names.isEmpty && archive.names.allSatisfy { $0.hasSuffix(".npy") }
  }

  /// - Throws: `FileError` (`invalid`) when the file is damaged or not an array of images.
  static func read(array url: URL, resize: DigitDataset.Resize) throws(FileError) -> ImageArray {
    let images = try NumPyFile(try InputFile.map(url), path: url.path)
    return try join(images, nil, path: url.path, name: url.deletingPathExtension().lastPathComponent, resize)
  }

  /// - Throws: `FileError` (`invalid`) when no array has a known name, or one is damaged or has a wrong shape.
  static func read(
    _ archive: ZipArchive, split: DatasetSplit, resize: DigitDataset.Resize
  ) throws(FileError) -> ImageArray {
    let path = archive.url.path
    guard let pair = names(split).first(where: { archive.contains("\($0.images).npy") }) else {
      let found = archive.names.prefix(5).map { quoted($0) }.joined(separator: ", ")
      throw FileError(
        .invalid, path: path, problem: "has no images array of a known name; it holds \(found)",
        remedy: "name the arrays images and labels, or x_\(split) and y_\(split)")
    }
    func array(_ name: String) throws(FileError) -> NumPyFile {
      try NumPyFile(try archive.read("\(name).npy"), path: "\(path)/\(name).npy")
    }
    let labels =
      archive.contains("\(pair.labels).npy") ? try array(pair.labels).integerLabels("\(path)/\(pair.labels).npy") : nil
    return try join(
      try array(pair.images), labels, path: "\(path)/\(pair.images).npy",
      name: archive.url.deletingPathExtension().lastPathComponent, resize)
  }

  private static func join(
    _ images: NumPyFile, _ labels: [Int]?, path: String, name: String, _ resize: DigitDataset.Resize
  ) throws(FileError) -> ImageArray {
    func invalid(_ problem: String) -> FileError {
      FileError(.invalid, path: path, problem: problem, remedy: "save [N, H, W] or [N, H, W, 3] of uint8")
    }
    let shape = images.shape
    guard images.itemSize == 1, !images.isSigned else { throw invalid("has images that are not uint8") }
    guard [3, 4].contains(shape.count), shape.count == 3 || [1, 3].contains(shape[3]) else {
      throw invalid("has the shape \(shape), which is not that of images")
    }
    guard shape[1] == shape[2] else { throw invalid("has images of \(shape[2]) x \(shape[1]), which are not square") }
    if let labels, labels.count != shape[0] { throw invalid("has \(shape[0]) images and \(labels.count) labels") }
    let channels = shape.count == 4 ? shape[3] : 1
    if channels == 1, shape[1] == 28 {
      let file = IdxFile(dimensions: Array(shape.prefix(3)), bytes: [UInt8](images.bytes))
      return ImageArray(
        name: name, channels: 1, side: DigitDataset.side, pixels: try DigitDataset.resized(file, resize, path: path),
        labels: labels, preparation: ["28x28 made 32x32: \(resize.rawValue)"])
    }
    return ImageArray(
      name: name, channels: channels, side: shape[1],
      pixels: channels == 1 ? [UInt8](images.bytes) : planes(images.bytes, area: shape[1] * shape[2]), labels: labels)
  }

  /// `[N, H, W, 3] -> [N, 3, H, W]`
  private static func planes(_ bytes: Data, area: Int) -> [UInt8] {
    var planes = [UInt8](repeating: 0, count: bytes.count)
    bytes.withUnsafeBytes { source in
      planes.withUnsafeMutableBufferPointer { target in
        for image in stride(from: 0, to: source.count, by: 3 * area) {
          for place in 0..<area {
            for channel in 0..<3 { target[image + channel * area + place] = source[image + place * 3 + channel] }
          }
        }
      }
    }
    return planes
  }
}

extension NumPyFile {
  /// One class per image.
  fileprivate func integerLabels(_ path: String) throws(FileError) -> [Int] {
    guard shape.count == 1 || shape.count == 2 && shape[1] == 1 else {
      throw FileError(
        .invalid, path: path, problem: "has the shape \(shape), not one class per image", remedy: "save [N] integers")
    }
    let labels = integers
    if let place = labels.firstIndex(where: { !(0...ImageLabels.maxLabel).contains($0) }) {
      throw FileError(
        .invalid, path: path, problem: "label \(place) is \(labels[place]), not within 0...\(ImageLabels.maxLabel)",
        remedy: "renumber the classes from 0")
    }
    return labels
  }
}
