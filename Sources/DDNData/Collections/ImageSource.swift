import Archives
import DDNFiles
import Foundation
import Images

/// Images in a fixed order with optional classes; thread-safe.
public protocol ImageSource: Sendable {
  /// Without folders and extension: "cifar10-train".
  var name: String { get }
  var count: Int { get }
  /// The class of every image, 0 or more; nil without classes.
  var labels: [Int]? { get }
  /// Names of the classes from 0 on; nil when classes are only numbers.
  var classNames: [String]? { get }
  /// Errors of image files that cannot be used, which are not in `count`.
  var unusable: [FileError] { get }
  /// Preprocessing steps, one sentence each.
  var preparation: [String] { get }
  /// Warnings for the user, such as classes without images.
  var notes: [String] { get }

  /// An image's name for messages.
  func name(of index: Int) -> String

  /// Decodes an image.
  ///
  /// - Throws: `FileError` (`invalid`) naming the image when it cannot be decoded.
  func bitmap(_ index: Int, channels: ChannelChoice) throws(FileError) -> Bitmap
}

extension ImageSource {
  public var classNames: [String]? { nil }
  public var unusable: [FileError] { [] }
  public var preparation: [String] { [] }
  public var notes: [String] { emptyClasses.map { [$0] } ?? [] }

  /// A note on classes without images; nil when there are none.
  var emptyClasses: String? {
    guard let labels, let highest = labels.max() else { return nil }
    let used = Set(labels)
    let missing = (0...highest).filter { !used.contains($0) }
    guard let first = missing.first else { return nil }
    return missing.count == 1
      ? "class \(first) has no images"
      : "\(missing.count) of the classes 0...\(highest) have no images, such as class \(first)"
  }

  /// The first unusable file and the number of others; nil when there are none.
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

/// Training or test set.
public typealias DatasetSplit = DigitDataset.Split

/// Opens a data set; its content, not its name, determines the format.
///
/// | format | order |
/// |---|---|
/// | a folder with MNIST's idx files, or its images file | the files' |
/// | the binary version of CIFAR-10 or CIFAR-100: the archive or the unpacked folder | the batches' |
/// | NumPy arrays: an npz archive or an npy file | the arrays' |
/// | image files in a zip file, a tar archive (plain or gzip) or any other folder | by name |
///
/// - Parameters:
///   - url: of the file or folder.
///   - split: of MNIST and CIFAR; ignored by other formats.
///   - resize: how 28 x 28 digits become 32 x 32.
/// - Throws: `FileError`: `missing`; `invalid` when there are no images, or labels do not match.
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
    .invalid, path: url.path, problem: "is neither an archive of images nor a file in MNIST's or NumPy's format",
    remedy: "give one of these, or a folder of images")
}
