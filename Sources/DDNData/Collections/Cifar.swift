import Archives
import DDNFiles
import Foundation

/// The binary version of CIFAR-10 or CIFAR-100: 32 x 32 RGB images in batches.
///
/// Source: the description at <https://www.cs.toronto.edu/~kriz/cifar.html>.
struct Cifar: Sendable {
  static let side = 32
  static let pixelCount = 3 * side * side

  let name: String
  let classes: Int
  /// Bytes before the red, green and blue plane of a record; the last is the class. CIFAR-100's first, the group of the
  /// class, is not read.
  private let labelBytes: Int
  private let folder: String
  private let trainBatches: [String]
  private let testBatch: String
  /// A file beside the batches that identifies the collection, where batches have ordinary names.
  private let mark: String?
  /// Folder and files of the Python version, which is refused with a remedy.
  private let pythonFolder: String
  private let pythonFiles: Set<String>
  /// Upper bound on a batch, so that nothing larger is unpacked.
  private let maxBatchBytes: Int

  static let ten = Cifar(
    name: "cifar10", classes: 10, labelBytes: 1, folder: "cifar-10-batches-bin",
    trainBatches: (1...5).map { "data_batch_\($0).bin" }, testBatch: "test_batch.bin", mark: nil,
    pythonFolder: "cifar-10-batches-py", pythonFiles: ["data_batch_1", "test_batch"], maxBatchBytes: 64 << 20)
  static let hundred = Cifar(
    name: "cifar100", classes: 100, labelBytes: 2, folder: "cifar-100-binary", trainBatches: ["train.bin"],
    testBatch: "test.bin", mark: "fine_label_names.txt", pythonFolder: "cifar-100-python",
    pythonFiles: ["train", "test", "meta"], maxBatchBytes: 256 << 20)

  private var recordSize: Int { labelBytes + Self.pixelCount }

  private func batchNames(_ split: DatasetSplit) -> [String] { split == .train ? trainBatches : [testBatch] }

  /// The collection whose batches are in this folder, or in its subfolder of the published name; nil if none is.
  ///
  /// - Throws: `FileError` (`invalid`) for the Python version; `failed` when a folder cannot be listed.
  static func find(in url: URL) throws(FileError) -> (collection: Cifar, folder: URL)? {
    for collection in [ten, hundred] {
      for folder in [url, url.appendingPathComponent(collection.folder)] {
        let names = Set(try Folder.names(in: folder))
        if collection.mark.map(names.contains) ?? true,
          [collection.trainBatches[0], collection.testBatch].contains(where: names.contains)
        {
          return (collection, folder)
        }
      }
      for folder in [url, url.appendingPathComponent(collection.pythonFolder)] {
        // Folders with these names are classes or splits of other data sets.
        let names = try Folder.names(in: folder).filter { name in
          collection.pythonFiles.contains(name) && !isFolder(folder.appendingPathComponent(name))
        }
        if collection.isPythonVersion(Set(names)) { throw collection.pythonVersion(at: folder) }
      }
    }
    return nil
  }

  private static func isFolder(_ url: URL) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) && isFolder.boolValue
  }

  /// CIFAR-10's file names are unambiguous; CIFAR-100's only together.
  private func isPythonVersion(_ names: Set<String>) -> Bool {
    mark == nil ? !names.isDisjoint(with: pythonFiles) : names.isSuperset(of: pythonFiles)
  }

  private func pythonVersion(at url: URL) -> FileError {
    FileError(
      .invalid, path: url.path, problem: "is the Python version of \(name)",
      remedy: "use the binary version, which ddn dataset fetch \(name) downloads")
  }

  /// - Throws: `FileError`: `missing` for a missing batch, `invalid` for a damaged one.
  func read(folder url: URL, split: DatasetSplit) throws(FileError) -> ImageArray {
    var batches: [String: [UInt8]] = [:]
    for name in batchNames(split) {
      let source = try openByteSource(url.appendingPathComponent(name))
      batches[name] = try source.bytes(min(source.upperBound, maxBatchBytes))
    }
    return try join(batches, split, path: url.path)
  }

  /// Reads the collection in a tar archive; nil when it holds neither.
  ///
  /// - Throws: `FileError` (`invalid`) when it lacks a batch or is damaged, and for the Python version.
  static func read(archive url: URL, split: DatasetSplit) throws(FileError) -> ImageArray? {
    for collection in [ten, hundred] {
      let wanted = Set(collection.batchNames(split))
      var names: Set<String> = []
      var pythonNames: Set<String> = []
      let files = try TarArchive.read(url, maxBytes: collection.maxBatchBytes) { path in
        let name = path.last ?? ""
        let parent = path.dropLast().last
        if collection.mark == nil || parent == collection.pythonFolder { pythonNames.insert(name) }
        guard collection.mark == nil || parent == collection.folder else { return false }
        if name == collection.testBatch || collection.trainBatches.contains(name) { names.insert(name) }
        return wanted.contains(name)
      }
      if names.isEmpty {
        if collection.isPythonVersion(pythonNames) { throw collection.pythonVersion(at: url) }
        continue
      }
      var batches: [String: [UInt8]] = [:]
      for (path, bytes) in files {
        let name = path.last!
        guard batches.updateValue(bytes, forKey: name) == nil else {
          throw FileError(
            .invalid, path: url.path, problem: "holds \(quoted(name)) twice", remedy: "download it again")
        }
      }
      return try collection.join(batches, split, path: url.path)
    }
    return nil
  }

  private func join(
    _ batches: [String: [UInt8]], _ split: DatasetSplit, path: String
  ) throws(FileError) -> ImageArray {
    var (pixels, labels): ([UInt8], [Int]) = ([], [])
    pixels.reserveCapacity(batches.values.reduce(0) { $0 + $1.count })
    for name in batchNames(split) {
      guard let bytes = batches[name] else {
        throw FileError(
          .invalid, path: path, problem: "has no \(name)",
          remedy: "use the binary version, which ddn dataset fetch \(self.name) downloads")
      }
      guard !bytes.isEmpty, bytes.count % recordSize == 0 else {
        throw FileError(
          .invalid, path: "\(path)/\(name)",
          problem: "has \(bytes.count) bytes, which are no whole records of \(recordSize)",
          remedy: "download it again")
      }
      for record in stride(from: 0, to: bytes.count, by: recordSize) {
        labels.append(Int(bytes[record + labelBytes - 1]))
        pixels += bytes[record + labelBytes..<record + recordSize]
      }
    }
    if let place = labels.firstIndex(where: { !(0..<classes).contains($0) }) {
      throw FileError(
        .invalid, path: path, problem: "label \(place) is \(labels[place]), not a class from 0 to \(classes - 1)",
        remedy: "download it again")
    }
    return ImageArray(
      name: "\(name)-\(split.rawValue)", channels: 3, side: Self.side, pixels: pixels, labels: labels)
  }
}
