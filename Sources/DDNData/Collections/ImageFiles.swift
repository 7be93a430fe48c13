import DDNFiles
import Foundation
import Images

/// Image files in a folder and those below it, or in a zip file, sorted by name.
///
/// Classes come from `dataset.json` beside the images, as the EDM dataset tool writes it. Without that file, and when
/// every image is in one of two or more folders, those are the classes, in the order of their names.
public struct ImageFiles: ImageSource {
  /// Extensions of the files that are taken for images.
  static let extensions: Set = ["png", "jpg", "jpeg", "webp", "gif", "tif", "tiff"]
  static let labelsName = "dataset.json"

  private enum Place {
    case folder(URL)
    case archive(ZipArchive)
  }

  public let name: String
  public let labels: [Int]?
  public var count: Int { names.count }
  /// The folders that are the classes, by class; nil when there are none.
  public let classNames: [String]?
  /// Relative to the folder or archive.
  public let names: [String]
  private let place: Place
  private let path: String

  /// - Throws: `FileError`: `invalid` when there is no image, or labels do not match.
  public init(folder url: URL) throws(FileError) {
    try self.init(.folder(url), try Self.files(in: url), path: url.path, name: url.lastPathComponent)
  }

  /// - Throws: `FileError`: see `ZipArchive`; also when there is no image, or labels do not match.
  public init(archive url: URL) throws(FileError) {
    let archive = try ZipArchive(contentsOf: url)
    try self.init(
      .archive(archive), archive.names, path: url.path, name: url.deletingPathExtension().lastPathComponent)
  }

  private init(_ place: Place, _ files: [String], path: String, name: String) throws(FileError) {
    self.place = place
    self.path = path
    self.name = name
    names = files.filter(Self.isImage).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    guard !names.isEmpty else {
      if case .archive = place {
        throw FileError(
          .invalid, path: path, problem: "holds no images", remedy: "choose an archive of PNG, JPEG or WebP files")
      }
      throw FileError(
        .missing, path: path, problem: "there are no images in this folder",
        remedy: "put PNG, JPEG or WebP files there, or MNIST's, such as train-images-idx3-ubyte.gz")
    }
    if files.contains(Self.labelsName) {
      classNames = nil
      labels = try ImageLabels.read(
        try Self.read(Self.labelsName, in: place), path: "\(path)/\(Self.labelsName)", names: names)
    } else if let inner = files.first(where: { $0.hasSuffix("/\(Self.labelsName)") && !$0.hasPrefix("__MACOSX") }) {
      throw FileError(
        .invalid, path: "\(path)/\(inner)", problem: "is not at the top, where it would label the images",
        remedy: "name or pack the folder that it is in")
    } else {
      let folders = names.map { name in name.firstIndex(of: "/").map { String(name[..<$0]) } }
      if let folder = folders.compactMap(\.self).spelledTwice() {
        throw FileError(
          .invalid, path: path, problem: "has two folders that are named \(quoted(folder)) in two spellings",
          remedy: "rename one of them, or move the images of one into the other")
      }
      let classes = Set(folders.compactMap { $0 }).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      let areClasses = classes.count > 1 && !folders.contains(nil)
      classNames = areClasses ? classes : nil
      let numbers = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, $0) })
      labels = areClasses ? folders.map { numbers[$0!]! } : nil
    }
  }

  public func name(of index: Int) -> String { names[index] }

  public func bitmap(_ index: Int, channels: ChannelChoice) throws(FileError) -> Bitmap {
    let data = try Self.read(names[index], in: place)
    do { return try PNG.decode(data, channels: channels) } catch {
      throw FileError(
        .invalid, path: "\(path)/\(names[index])", error)
    }
  }

  private static func read(_ name: String, in place: Place) throws(FileError) -> Data {
    switch place {
    case .folder(let url): try InputFile.map(url.appendingPathComponent(name))
    case .archive(let archive): try archive.read(name)
    }
  }

  /// Hidden files, such as those that macOS adds to archives, are none.
  private static func isImage(_ name: String) -> Bool {
    let parts = name.split(separator: "/")
    guard let dot = name.lastIndex(of: "."), !parts.contains(where: { $0.hasPrefix(".") || $0 == "__MACOSX" }) else {
      return false
    }
    return extensions.contains(name[name.index(after: dot)...].lowercased())
  }

  /// The files of a folder and those below it, relative to it.
  private static func files(in url: URL) throws(FileError) -> [String] {
    guard let walk = FileManager.default.enumerator(atPath: url.path) else {
      throw FileError(
        .failed, path: url.path, problem: "this folder cannot be listed", remedy: "check its permissions")
    }
    return walk.compactMap { $0 as? String }
  }
}

extension Sequence<String> {
  /// A name that another one spells in other Unicode characters of the same meaning, such as é as one or as two.
  ///
  /// File systems and archives tell them apart, and Swift's texts, which mean the same, are equal.
  func spelledTwice() -> String? {
    var spellings: [String: String] = [:]
    return first { name in
      guard let other = spellings.updateValue(name, forKey: name) else { return false }
      return !other.utf8.elementsEqual(name.utf8)
    }
  }
}
