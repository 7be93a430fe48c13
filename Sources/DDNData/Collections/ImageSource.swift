import Archives
import DDNFiles
import Foundation
import Images

/// Pictures in a fixed order, with classes where they have any, which any number of threads may read.
public protocol ImageSource: Sendable {
  /// What the whole is called, without folders and extension: "cifar10-train".
  var name: String { get }
  var count: Int { get }
  /// The class of every picture, 0 or more; nil when they have none.
  var labels: [Int]? { get }
  /// What the classes from 0 on are called; nil when they have numbers only.
  var classNames: [String]? { get }
  /// Files that look like images and cannot be used, and why; they are not in `count`.
  var unusable: [FileError] { get }
  /// How the images were prepared, in sentences, such as how digits were enlarged.
  var preparation: [String] { get }
  /// What the user should know about the source: classes without images, folders that may be no classes.
  var notes: [String] { get }

  /// What one picture is called in messages.
  func name(of index: Int) -> String

  /// Decodes a picture.
  ///
  /// - Throws: `FileError` (`invalid`) naming it when it cannot be decoded.
  func bitmap(_ index: Int, channels: ChannelChoice) throws(FileError) -> Bitmap
}

extension ImageSource {
  public var classNames: [String]? { nil }
  public var unusable: [FileError] { [] }
  public var preparation: [String] { [] }
  public var notes: [String] { emptyClasses.map { [$0] } ?? [] }

  /// Says which classes have no images; nil when all have some.
  var emptyClasses: String? {
    guard let labels, let highest = labels.max() else { return nil }
    let used = Set(labels)
    let missing = (0...highest).filter { !used.contains($0) }
    guard let first = missing.first else { return nil }
    return missing.count == 1
      ? "class \(first) has no images"
      : "\(missing.count) of the classes 0...\(highest) have no images, such as class \(first)"
  }

  /// The first file that cannot be used, and how many more there are; nil when all can.
  var unusableError: FileError? {
    guard let first = unusable.first else { return nil }
    return FileError(
      first.kind, path: first.path, problem: first.problem + andOthers(unusable.count - 1, "file"),
      remedy: "\(first.remedy), or leave such files out with ddn dataset convert")
  }
}

/// ", and 1 other file", ", and 2 other files", or nothing.
public func andOthers(_ count: Int, _ thing: String) -> String {
  count == 0 ? "" : ", and \(count) other \(thing)\(count == 1 ? "" : "s")"
}

/// Which part of a data set that has both.
public typealias DatasetSplit = DigitDataset.Split

/// Opens whatever holds pictures; its content tells what it is, not its name.
///
/// | what | order |
/// |---|---|
/// | a folder with MNIST's idx files, or its file of images | the files' |
/// | the binary version of CIFAR-10 or CIFAR-100: the archive or the unpacked folder | the batches' |
/// | NumPy's arrays: an npz archive or an npy file | the arrays' |
/// | a zip file, a tar archive, plain or gzip, or any other folder, of image files | by name |
///
/// - Parameters:
///   - split: the part of MNIST or CIFAR-10; other sources have only one.
///   - resize: how digits of 28 x 28 become 32 x 32.
/// - Throws: `FileError`: `missing` when there is nothing of that name, `invalid` when it holds no pictures, or labels
///   that do not match.
public func openImages(
  _ url: URL, split: DatasetSplit = .train, resize: DigitDataset.Resize = .bilinear
) throws(FileError) -> any ImageSource {
  let url = url.standardizedFileURL.resolvingSymlinksInPath()
  var isFolder: ObjCBool = false
  guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
    throw FileError(.missing, path: url.path, problem: "no such file or folder", remedy: "check the path")
  }
  if isFolder.boolValue {
    if try Folder.names(in: url).contains(where: { $0.hasSuffix("-ubyte") || $0.hasSuffix("-ubyte.gz") }) {
      return ImageArray(try DigitDataset(folder: url, split: split, resize: resize))
    }
    if let (collection, folder) = try Cifar.find(in: url) { return try collection.read(folder: folder, split: split) }
    return try ImageFiles(folder: url)
  }
  let start = try InputFile.map(url).prefix(4)
  if start.starts(with: [0x50, 0x4b]) {
    let archive = try ZipArchive(contentsOf: url)
    if NumPyImages.areArrays(archive) { return try NumPyImages.read(archive, split: split, resize: resize) }
    return try ImageFiles(archive: url)
  }
  let content = try openByteSource(url).bytes(512)
  if TarArchive.begins(content) {
    if let images = try Cifar.read(archive: url, split: split) { return images }
    return try ImageFiles(tar: url)
  }
  if NumPyFile.begins(content) { return try NumPyImages.read(array: url, resize: resize) }
  if content.starts(with: [0, 0, 8, 3]) { return ImageArray(try DigitDataset(imagesFile: url, resize: resize)) }
  throw FileError(
    .invalid, path: url.path, problem: "is neither an archive of images nor a file of MNIST's or NumPy's",
    remedy: "name one of these, or a folder of images")
}
