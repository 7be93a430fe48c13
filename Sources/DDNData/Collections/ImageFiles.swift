import Archives
import DDNFiles
import Foundation
import Images

/// Image files of a folder (recursive) or an archive, sorted by name.
///
/// Classes come from `dataset.json`, as the EDM dataset tool writes it, otherwise from `FolderClasses`. Folders common to
/// all images are ignored.
public struct ImageFiles: ImageSource {
  /// File name extensions of images; formats that libvips cannot decode fail when read.
  static let extensions: Set = [
    "png", "jpg", "jpeg", "jpe", "jfif", "webp", "gif", "tif", "tiff", "bmp", "dib", "avif", "heic", "heif", "jp2",
    "j2k", "jpf", "jpx", "jxl", "ppm", "pgm", "pbm", "pnm", "pfm", "tga", "ico", "psd", "exr", "hdr", "fits", "svg",
  ]
  static let labelsName = "dataset.json"

  private enum Container {
    case folder(URL)
    case archive(ZipArchive)
    case contents([String: Data])
  }

  public let name: String
  public let labels: [Int]?
  public var count: Int { names.count }
  public let classNames: [String]?
  public let unusable: [FileError]
  public let preparation: [String]
  public var notes: [String] { (emptyClasses.map { [$0] } ?? []) + fileNotes }
  /// Relative to the folder or archive.
  public let names: [String]
  private let fileNotes: [String]
  private let container: Container
  private let path: String

  /// - Throws: `FileError`: `missing` without images, `invalid` when labels do not match.
  public init(folder url: URL) throws(FileError) {
    let url = url.resolvingSymlinksInPath()
    let walk = try FileWalk(url)
    try self.init(
      .folder(url), walk.files, unusable: walk.problems, path: url.path, name: url.lastPathComponent)
  }

  /// - Throws: `FileError`: see `ZipArchive`; also without images, or when labels do not match.
  public init(archive url: URL) throws(FileError) {
    let archive = try ZipArchive(contentsOf: url)
    try self.init(
      .archive(archive), archive.names, path: url.path, name: url.deletingPathExtension().lastPathComponent)
  }

  /// Tar archives have no directory, so all images are read into memory, up to `ImageDataset.defaultCacheBytes`.
  ///
  /// - Throws: `FileError`: see `TarArchive`; also without images, or when labels do not match.
  init(tar url: URL) throws(FileError) {
    var names: [String] = []
    let files = try TarArchive.read(
      url, maxBytes: Self.maxFileBytes, maxTotalBytes: ImageDataset.defaultCacheBytes
    ) { path in
      let name = path.filter { $0 != "." }.joined(separator: "/")
      names.append(name)
      return Self.isImage(name) || name.hasSuffix(Self.labelsName)
    }
    var contents: [String: Data] = [:]
    for (path, bytes) in files { contents[path.filter { $0 != "." }.joined(separator: "/")] = Data(bytes) }
    let name = url.lastPathComponent.replacing(/\.(tar|tgz|tar\.gz)$/, with: "")
    try self.init(.contents(contents), names, path: url.path, name: name)
  }

  private static let maxFileBytes = 1 << 30

  private init(
    _ container: Container, _ allFiles: [String], unusable: [FileError] = [], path: String, name: String
  ) throws(FileError) {
    self.container = container
    self.path = path
    self.name = name
    self.unusable = unusable
    let files = allFiles.filter { name in !name.split(separator: "/").contains(where: FileWalk.isIgnored) }
    names = files.filter(Self.isImage).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    let others = files.filter { !Self.isImage($0) && !$0.hasSuffix(Self.labelsName) }
    guard !names.isEmpty else {
      if let problem = unusable.first {
        throw FileError(
          problem.kind, path: problem.path, problem: problem.problem + andOthers(unusable.count - 1, "file"),
          remedy: problem.remedy)
      }
      let skipped = Self.skippedNote(others).map { "; \($0)" } ?? ""
      if case .folder = container {
        throw FileError(
          .missing, path: path, problem: "there are no images in this folder\(skipped)",
          remedy: "put PNG, JPEG or WebP files there, or MNIST's, such as train-images-idx3-ubyte.gz")
      }
      throw FileError(
        .invalid, path: path, problem: "holds no images\(skipped)",
        remedy: "use an archive of PNG, JPEG or WebP files")
    }
    var notes = Self.skippedNote(others).map { [$0] } ?? []
    let prefix = Self.commonFolder(of: names, files: files)
    let inner = names.map { $0.dropFirst(prefix.count) }
    let labelsFile = prefix + Self.labelsName
    if files.contains(labelsFile) {
      let file = try ImageLabels.read(
        try Self.read(labelsFile, in: container), path: "\(path)/\(labelsFile)", names: inner.map(String.init))
      (labels, classNames, preparation) = (file.labels, file.classNames, file.preparation)
    } else if let inner = files.first(where: { $0.hasSuffix("/\(Self.labelsName)") }) {
      throw FileError(
        .invalid, path: "\(path)/\(inner)", problem: "is not in the top folder of the images",
        remedy: "give or pack the folder that it is in")
    } else {
      let folders = inner.compactMap { name in name.firstIndex(of: "/").map { String(name[..<$0]) } }
      if let folder = folders.unicodeDuplicate() {
        throw FileError(
          .invalid, path: path, problem: "has two folders named \(quoted(folder)) in different Unicode spellings",
          remedy: "rename one of them or merge them")
      }
      let classes = FolderClasses(inner)
      if let warning = classes?.warning { notes.append(warning) }
      (labels, classNames, preparation) = (classes?.labels, classes?.names, [])
    }
    fileNotes = notes
  }

  /// The longest folder prefix of all images, such as "pics/", but not below a labels file.
  private static func commonFolder(of names: [String], files: [String]) -> String {
    var prefix = ""
    while !files.contains(prefix + labelsName),
      let end = names[0].dropFirst(prefix.count).firstIndex(of: "/"),
      case let longer = String(names[0][...end]), names.allSatisfy({ $0.hasPrefix(longer) })
    {
      prefix = longer
    }
    return prefix
  }

  /// Counts skipped files by extension; nil without any.
  private static func skippedNote(_ names: [String]) -> String? {
    let extensions = names.map { name in
      let last = name[(name.lastIndex(of: "/").map(name.index(after:)) ?? name.startIndex)...]
      return last.lastIndex(of: ".").map { "." + last[last.index(after: $0)...].lowercased() } ?? "no extension"
    }
    guard !extensions.isEmpty else { return nil }
    let counts = Dictionary(extensions.map { ($0, 1) }, uniquingKeysWith: +)
      .sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    let shown = counts.prefix(5).map { "\(quoted($0.key).dropFirst().dropLast()) \($0.value)" }.joined(separator: ", ")
    let more = counts.count > 5 ? ", ..." : ""
    return "skipped \(names.count) \(names.count == 1 ? "file that is not an image" : "files that are not images"): "
      + shown + more
  }

  public func name(of index: Int) -> String { names[index] }

  public func bitmap(_ index: Int, channels: ChannelChoice) throws(FileError) -> Bitmap {
    let data = try Self.read(names[index], in: container)
    do { return try PNG.decode(data, channels: channels) } catch {
      throw FileError(.invalid, path: "\(path)/\(names[index])", error)
    }
  }

  private static func read(_ name: String, in container: Container) throws(FileError) -> Data {
    switch container {
    case .folder(let url): try InputFile.map(url.appendingPathComponent(name))
    case .archive(let archive): try archive.read(name)
    case .contents(let contents): contents[name]!
    }
  }

  private static func isImage(_ name: String) -> Bool {
    guard let dot = name.lastIndex(of: ".") else { return false }
    return extensions.contains(name[name.index(after: dot)...].lowercased())
  }
}

extension Sequence<String> {
  /// A name that also occurs in another Unicode normalization, such as composed and decomposed é.
  ///
  /// File systems and archives distinguish them; Swift strings are equal.
  func unicodeDuplicate() -> String? {
    var spellings: [String: String] = [:]
    return first { name in
      guard let other = spellings.updateValue(name, forKey: name) else { return false }
      return !other.utf8.elementsEqual(name.utf8)
    }
  }
}
