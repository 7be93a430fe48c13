import DDNFiles
import Foundation

/// A file of images in MNIST's format and the one of labels that belongs to it, paired by their names.
///
/// Known forms: `train-images-idx3-ubyte`, `train-images.idx3-ubyte`, `emnist-letters-train-images-idx3-ubyte`, and each
/// with `.gz`.
struct IdxFileNames {
  let images: URL
  let labels: URL
  /// What the names begin with: "train", "emnist-letters-test".
  let stem: String
  /// Whether columns stand for rows, as in EMNIST's files.
  var isTransposed: Bool { stem.hasPrefix("emnist-") }

  private static let imagesEndings = ["-images-idx3-ubyte", "-images.idx3-ubyte"]
  private static let labelsEndings = ["-labels-idx1-ubyte", "-labels.idx1-ubyte"]

  /// - Throws: `FileError`: `invalid` when the name is of another form, `missing` when there are no labels beside it.
  init(imagesFile url: URL) throws(FileError) {
    guard let stem = Self.stem(of: url.lastPathComponent) else {
      throw FileError(
        .invalid, path: url.path, problem: "is not called like MNIST's images, so its labels cannot be found",
        remedy: "call it NAME-images-idx3-ubyte, and its labels NAME-labels-idx1-ubyte")
    }
    let folder = url.deletingLastPathComponent()
    let labels = Self.labelsEndings.flatMap { [stem + $0, stem + $0 + ".gz"] }.map(folder.appendingPathComponent)
    guard let found = labels.first(where: { FileManager.default.fileExists(atPath: $0.path) }) else {
      throw Self.missing("\(stem)\(Self.labelsEndings[0])", in: folder)
    }
    (images, self.labels, self.stem) = (url, found, stem)
  }

  /// The files of one part of a data set.
  ///
  /// - Throws: `FileError`: `missing` when there are none, `invalid` when there are those of several data sets.
  static func find(_ split: DigitDataset.Split, in folder: URL) throws(FileError) -> IdxFileNames {
    let lastWords: Set<Substring> = split == .train ? ["train"] : ["t10k", "test"]
    let found = try Folder.names(in: folder).filter { name in
      Self.stem(of: name).flatMap { $0.split(separator: "-").last }.map(lastWords.contains) ?? false
    }
    // MNIST's own names before others; sorted, so that a plain file comes before its gzip form.
    let preferred = split == .train ? "train" : "t10k"
    let own = found.filter { Self.stem(of: $0) == preferred }
    let names = own.isEmpty ? found : own
    guard let name = names.first else { throw missing("\(preferred)\(imagesEndings[0])", in: folder) }
    if let other = names.first(where: { Self.stem(of: $0) != Self.stem(of: name) }) {
      throw FileError(
        .invalid, path: folder.path,
        problem: "holds several data sets, \(quoted(name)) and \(quoted(other)) among them",
        remedy: "name one of these files")
    }
    return try IdxFileNames(imagesFile: folder.appendingPathComponent(name))
  }

  /// Nil when it is no name of a file of images.
  private static func stem(of name: String) -> String? {
    let plain = name.hasSuffix(".gz") ? String(name.dropLast(3)) : name
    guard let ending = imagesEndings.first(where: plain.hasSuffix), plain.count > ending.count else { return nil }
    return String(plain.dropLast(ending.count))
  }

  private static func missing(_ name: String, in folder: URL) -> FileError {
    FileError(
      .missing, path: folder.path, problem: "there is neither \(name) nor \(name).gz in this folder",
      remedy: "put MNIST's files there or name their folder")
  }
}
