import DDNFiles
import Foundation

/// Handwritten digits at the size that the networks take, 32 x 32 gray, with their labels, in the files' order.
public struct DigitDataset: Sendable {
  /// Which part of a data set.
  public enum Split: String, Sendable, CaseIterable {
    case train
    case test

    /// How MNIST's files of this part begin.
    var filePrefix: String { self == .train ? "train" : "t10k" }
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
  /// `[N]`, each 0 to 9.
  public let labels: [UInt8]
  /// How many there are, N.
  public var count: Int { labels.count }

  /// Reads one part of MNIST, or of a data set in MNIST's format, from a folder with its idx files, plain or gzip.
  ///
  /// Digits of 32 x 32 pixels stay as they are.
  ///
  /// - Throws: `FileError`: `missing` when the folder lacks a file, with the names that were looked for; `invalid` when
  ///   a file is damaged, digits are neither 28 x 28 nor 32 x 32, labels are not as many as images or not in `0...9`.
  public init(folder: URL, split: Split, resize: Resize = .bilinear) throws(FileError) {
    try self.init(
      folder: folder, split: split, resize: resize,
      name: "\(folder.standardizedFileURL.lastPathComponent) \(split.rawValue)")
  }

  init(folder: URL, split: Split, resize: Resize, name: String) throws(FileError) {
    try self.init(
      images: Self.find("\(split.filePrefix)-images-idx3-ubyte", in: folder),
      labels: Self.find("\(split.filePrefix)-labels-idx1-ubyte", in: folder), resize: resize, name: name)
  }

  /// Reads a file of images and, beside it, the one of labels that MNIST's names pair with it.
  ///
  /// - Throws: `FileError`: see `init(folder:split:resize:)`.
  init(imagesFile url: URL, resize: Resize = .bilinear) throws(FileError) {
    let name = url.lastPathComponent
    guard let words = name.range(of: "-images-idx3-") else {
      throw FileError(
        .invalid, path: url.path, problem: "is not called like MNIST's images, so its labels cannot be found",
        remedy: "call it NAME-images-idx3-ubyte, and its labels NAME-labels-idx1-ubyte")
    }
    let labelsName = name.replacingCharacters(in: words, with: "-labels-idx1-")
    try self.init(
      images: url,
      labels: Self.find(
        labelsName.hasSuffix(".gz") ? String(labelsName.dropLast(3)) : labelsName,
        in: url.deletingLastPathComponent()),
      resize: resize, name: String(name[..<words.lowerBound]))
  }

  private init(images imagesURL: URL, labels labelsURL: URL, resize: Resize, name: String) throws(FileError) {
    let labels = try IdxFile(contentsOf: labelsURL, content: .labels).bytes
    if let index = labels.firstIndex(where: { $0 > 9 }) {
      throw FileError(
        .invalid, path: labelsURL.path, problem: "label \(index) is \(labels[index]), not a digit from 0 to 9",
        remedy: "choose labels of digits")
    }
    let images = try IdxFile(contentsOf: imagesURL, content: .images)
    guard images.dimensions[0] == labels.count else {
      throw FileError(
        .invalid, path: imagesURL.path,
        problem: "holds \(images.dimensions[0]) images, but \(labelsURL.lastPathComponent) has \(labels.count) labels",
        remedy: "choose files that belong together")
    }
    self.init(name: name, images: try Self.resized(images, resize, path: imagesURL.path), labels: labels)
  }

  private init(name: String, images: [UInt8], labels: [UInt8]) {
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
      labels: Array(labels[range]))
  }

  /// The file of that name in the folder, or its gzip form.
  private static func find(_ name: String, in folder: URL) throws(FileError) -> URL {
    let candidates = [name, name + ".gz"]
    for candidate in candidates {
      let url = folder.appendingPathComponent(candidate)
      if FileManager.default.fileExists(atPath: url.path) { return url }
    }
    throw FileError(
      .missing, path: folder.path, problem: "there is neither \(candidates[0]) nor \(candidates[1]) in this folder",
      remedy: "put MNIST's files there or name their folder")
  }

  /// `[N, 28, 28] -> [N, 32, 32]`
  private static func resized(_ file: IdxFile, _ resize: Resize, path: String) throws(FileError) -> [UInt8] {
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
