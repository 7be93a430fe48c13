import DDNFiles
import Foundation

/// Handwritten digits at the size that the networks take, 32 x 32 gray, with their labels, in the files' order.
///
/// EMNIST's letters, and whatever else is in MNIST's format, are read the same way. EMNIST's images are transposed in its
/// files; here they are upright.
public struct DigitDataset: Sendable {
  /// Which part of a data set.
  public enum Split: String, Sendable, CaseIterable {
    case train
    case test
  }

  /// How 28 x 28 pixels become 32 x 32.
  public enum Resize: String, Sendable, CaseIterable {
    /// Interpolated exactly as PIL does, as in the original implementation.
    case bilinear
    /// Two black pixels on each side.
    case padded
  }

  /// Pixels on an image's side.
  public static let side = 32

  /// What the digits are and which part: "mnist train".
  public let name: String
  /// `[N, 32, 32]`, flat: 0 (paper) to 255 (ink).
  public let images: [UInt8]
  /// `[N]`, each 0 to 9 for digits; EMNIST's letters have more classes.
  public let labels: [UInt8]
  /// What was done to the images, in sentences.
  public let preparation: [String]
  /// How many there are, N.
  public var count: Int { labels.count }

  /// Reads one part of MNIST, or of a data set in MNIST's format, from a folder with its idx files, plain or gzip.
  ///
  /// Digits of 32 x 32 pixels stay as they are.
  ///
  /// - Throws: `FileError`: `missing` when the folder lacks a file, with the names that were looked for; `invalid` when
  ///   a file is damaged, digits are neither 28 x 28 nor 32 x 32, labels are not as many as images.
  public init(folder: URL, split: Split, resize: Resize = .bilinear) throws(FileError) {
    try self.init(
      folder: folder, split: split, resize: resize,
      name: "\(folder.standardizedFileURL.lastPathComponent) \(split.rawValue)")
  }

  init(folder: URL, split: Split, resize: Resize, name: String) throws(FileError) {
    let files = try IdxFileNames.find(split, in: folder)
    try self.init(files, resize: resize, name: name)
  }

  /// Reads a file of images and, beside it, the one of labels that MNIST's names pair with it.
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

  /// All but the last `tailCount` digits, and those, which are then held out.
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

  /// Rows become columns; `[N, 32, 32]`.
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
        remedy: "choose MNIST's images or make them 32 x 32")
    }
  }

  /// Black on all sides, as much left as right and above as below.
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
