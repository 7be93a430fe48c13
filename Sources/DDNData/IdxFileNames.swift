import DDNFiles
import Foundation

/// An images file in MNIST's format and its labels file, paired by name.
///
/// Known names: `train-images-idx3-ubyte`, `train-images.idx3-ubyte`, `emnist-letters-train-images-idx3-ubyte`, all with
/// an optional `.gz`.
struct IdxFileNames {
  let images: URL
  let labels: URL
  /// The common prefix: "train", "emnist-letters-test".
  let stem: String
  /// Whether images are stored by column, as EMNIST's are.
  var isTransposed: Bool { stem.hasPrefix("emnist-") }

  private static let imagesEndings = ["-images-idx3-ubyte", "-images.idx3-ubyte"]
  private static let labelsEndings = ["-labels-idx1-ubyte", "-labels.idx1-ubyte"]

  /// - Throws: `FileError`: `invalid` for an unknown name, `missing` without a labels file beside it.
  init(imagesFile url: URL) throws(FileError) {
    guard let stem = Self.stem(of: url.lastPathComponent) else {
      throw FileError(
        .invalid, path: url.path, problem: "is not named like MNIST's images, so its labels cannot be found",
        remedy: "rename it NAME-images-idx3-ubyte and its labels NAME-labels-idx1-ubyte")
    }
    let folder = url.deletingLastPathComponent()
    let labels = Self.labelsEndings.flatMap { [stem + $0, stem + $0 + ".gz"] }.map(folder.appendingPathComponent)
    guard let found = labels.first(where: { FileManager.default.fileExists(atPath: $0.path) }) else {
      throw Self.missing("\(stem)\(Self.labelsEndings[0])", in: folder)
    }
    (images, self.labels, self.stem) = (url, found, stem)
  }

  /// The files of a split.
  ///
  /// - Throws: `FileError`: `missing` when there are none, `invalid` when there are several data sets.
  static func find(_ split: DigitDataset.Split, in folder: URL) throws(FileError) -> IdxFileNames {
    let suffixes: Set<Substring> = split == .train ? ["train"] : ["t10k", "test"]
    let found = try Folder.names(in: folder).filter { name in
      Self.stem(of: name).flatMap { $0.split(separator: "-").last }.map(suffixes.contains) ?? false
    }
    // MNIST's names take precedence; sorted, so that a plain file precedes its gzip form.
    let preferred = split == .train ? "train" : "t10k"
    let exact = found.filter { Self.stem(of: $0) == preferred }
    let names = exact.isEmpty ? found : exact
    guard let name = names.first else { throw missing("\(preferred)\(imagesEndings[0])", in: folder) }
    if let other = names.first(where: { Self.stem(of: $0) != Self.stem(of: name) }) {
      throw FileError(
        .invalid, path: folder.path,
        problem: "holds several data sets, such as \(quoted(name)) and \(quoted(other))",
        remedy: "give the path of one of these files")
    }
    return try IdxFileNames(imagesFile: folder.appendingPathComponent(name))
  }

  /// Nil for other names.
  private static func stem(of name: String) -> String? {
    let plain = name.hasSuffix(".gz") ? String(name.dropLast(3)) : name
    guard let ending = imagesEndings.first(where: plain.hasSuffix), plain.count > ending.count else { return nil }
    return String(plain.dropLast(ending.count))
  }

  private static func missing(_ name: String, in folder: URL) -> FileError {
    FileError(
      .missing, path: folder.path, problem: "there is neither \(name) nor \(name).gz in this folder",
      remedy: "put MNIST's files there or give their folder")
  }
}
