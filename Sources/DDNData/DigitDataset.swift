import DDNFiles
import Foundation

/// Handwritten digits as 32 x 32 gray images with labels, in file order.
///
/// Also reads other data sets in MNIST's format, such as EMNIST, whose images are stored transposed and made upright.
public struct DigitDataset: Sendable {
  public enum Split: String, Sendable, CaseIterable {
    case train
    case test
  }

  /// How 28 x 28 pixels become 32 x 32.
  public enum Resize: String, Sendable, CaseIterable {
    /// PIL's bilinear interpolation, as in the original program.
    case bilinear
    /// Two black pixels on each side.
    case padded
  }

  /// In pixels.
  public static let side = 32

  /// Data set and split: "mnist train".
  public let name: String
  /// `[N, 32, 32]`: 0 (paper) to 255 (ink).
  public let images: [UInt8]
  /// `[N]`, 0 to 9 for digits; EMNIST's letters have more classes.
  public let labels: [UInt8]
  /// Preprocessing steps, one sentence each.
  public let preparation: [String]
  /// N.
  public var count: Int { labels.count }

  /// Reads one split from a folder with idx files, plain or gzip; images of 32 x 32 pixels are not resized.
  ///
  /// - Throws: `FileError`: `missing` for a missing file, with the expected names; `invalid` for a damaged file, images
  ///   that are neither 28 x 28 nor 32 x 32, or unequal numbers of images and labels.
  public init(folder: URL, split: Split, resize: Resize = .bilinear) throws(FileError) {
    try self.init(
      folder: folder, split: split, resize: resize,
      name: "\(folder.standardizedFileURL.lastPathComponent) \(split.rawValue)")
  }

  init(folder: URL, split: Split, resize: Resize, name: String) throws(FileError) {
    let files = try IdxFileNames.find(split, in: folder)
    try self.init(files, resize: resize, name: name)
  }

  /// Reads an images file and the labels file that MNIST's naming pairs with it.
  ///
  /// - Throws: `FileError`: see `init(folder:split:resize:)`.
  init(imagesFile url: URL, resize: Resize = .bilinear) throws(FileError) {
    let files = try IdxFileNames(imagesFile: url)
    try self.init(files, resize: resize, name: files.stem)
  }

  private init(_ files: IdxFileNames, resize: Resize, name: String) throws(FileError) {
    let labels = try IdxFile(contentsOf: files.labels, content: .labels).bytes
    let images = try IdxFile(contentsOf: files.images, content: .images)
    guard images.dimensions[0] == labels.count else {
      throw FileError(
        .invalid, path: files.images.path,
        problem:
          "holds \(images.dimensions[0]) images, but \(files.labels.lastPathComponent) has \(labels.count) labels",
        remedy: "choose files that belong together")
    }
    var preparation: [String] = []
    var pixels = try Self.resized(images, resize, path: files.images.path)
    if files.isTransposed {
      pixels = Self.transposed(pixels)
      preparation.append("transposed, because EMNIST's files have columns for rows")
    }
    if images.dimensions[1] != Self.side { preparation.append("28x28 made 32x32: \(resize.rawValue)") }
    self.init(name: name, images: pixels, labels: labels, preparation: preparation)
  }

  private init(name: String, images: [UInt8], labels: [UInt8], preparation: [String]) {
    self.preparation = preparation
    self.name = name
    self.images = images
    self.labels = labels
  }

  /// Splits off the last `tailCount` digits, for validation.
  ///
  /// - Parameter tailCount: 0 to `count`.
  public func split(last tailCount: Int) -> (head: DigitDataset, tail: DigitDataset) {
    precondition((0...count).contains(tailCount), "\(tailCount) of \(count) digits cannot be split off")
    let headCount = count - tailCount
    return (
      part(0..<headCount, name: "\(name), first \(headCount)"),
      part(headCount..<count, name: "\(name), last \(tailCount)")
    )
  }

  private func part(_ range: Range<Int>, name: String) -> DigitDataset {
    let imageSize = Self.side * Self.side
    return DigitDataset(
      name: name, images: Array(images[range.lowerBound * imageSize..<range.upperBound * imageSize]),
      labels: Array(labels[range]), preparation: preparation)
  }

  /// `[N, 32, 32]` with rows and columns swapped.
  private static func transposed(_ images: [UInt8]) -> [UInt8] {
    let area = side * side
    var transposed = images
    for image in stride(from: 0, to: images.count, by: area) {
      for row in 0..<side {
        for column in 0..<side { transposed[image + column * side + row] = images[image + row * side + column] }
      }
    }
    return transposed
  }

  /// `[N, 28, 28] -> [N, 32, 32]`
  static func resized(_ file: IdxFile, _ resize: Resize, path: String) throws(FileError) -> [UInt8] {
    switch (file.dimensions[1], file.dimensions[2], resize) {
    case (side, side, _): return file.bytes
    case (28, 28, .bilinear): return BilinearUpsampling(from: 28, to: side)(file.bytes)
    case (28, 28, .padded): return padded(file.bytes, from: 28)
    case (let height, let width, _):
      throw FileError(
        .invalid, path: path, problem: "holds images of \(width) x \(height) pixels, neither 28 x 28 nor 32 x 32",
        remedy: "use MNIST's images or resize them to 32 x 32")
    }
  }

  /// Zero padding, equal on all sides.
  private static func padded(_ images: [UInt8], from: Int) -> [UInt8] {
    let count = images.count / (from * from)
    let border = (side - from) / 2
    var padded = [UInt8](repeating: 0, count: count * side * side)
    padded.withUnsafeMutableBytes { target in
      images.withUnsafeBytes { source in
        for row in 0..<count * from {
          let (image, imageRow) = row.quotientAndRemainder(dividingBy: from)
          let start = (image * side + border + imageRow) * side + border
          target[start..<start + from].copyBytes(from: source[row * from..<(row + 1) * from])
        }
      }
    }
    return padded
  }
}
