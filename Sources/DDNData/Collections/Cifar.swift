import Archives
import DDNFiles
import Foundation

/// CIFAR-10 and CIFAR-100 as their authors publish them: 32 x 32 colour pictures in batches.
///
/// Source: the description at <https://www.cs.toronto.edu/~kriz/cifar.html>.
struct Cifar: Sendable {
  static let side = 32
  static let pixelCount = 3 * side * side

  let name: String
  let classes: Int
  /// Bytes before the red, the green and the blue plane of a record; the last is the class. CIFAR-100's first is that of one
  /// of twenty groups of classes, which are not read.
  private let labelBytes: Int
  /// What the Python version calls the classes.
  private let labelsKey: String
  private let folders: [String]
  private let trainBatches: [String]
  private let testBatch: String
  /// A file that the unpacked folder has beside the batches, where these have names of any folder's.
  private let marks: Set<String>
  /// More than any batch has, so that nothing larger is unpacked.
  private let maxBatchBytes: Int

  static let ten = Cifar(
    name: "cifar10", classes: 10, labelBytes: 1, labelsKey: "labels",
    folders: ["cifar-10-batches-bin", "cifar-10-batches-py"], trainBatches: (1...5).map { "data_batch_\($0)" },
    testBatch: "test_batch", marks: [], maxBatchBytes: 64 << 20)
  static let hundred = Cifar(
    name: "cifar100", classes: 100, labelBytes: 2, labelsKey: "fine_labels",
    folders: ["cifar-100-binary", "cifar-100-python"], trainBatches: ["train"], testBatch: "test",
    marks: ["meta", "fine_label_names.txt"], maxBatchBytes: 256 << 20)

  private var recordSize: Int { labelBytes + Self.pixelCount }

  private func batchNames(_ split: DatasetSplit) -> [String] { split == .train ? trainBatches : [testBatch] }

  /// The collection whose batches lie in this folder, or in the one of its name in it; nil when there is none.
  static func find(in url: URL) throws(FileError) -> (collection: Cifar, folder: URL)? {
    for collection in [ten, hundred] {
      for folder in [url] + collection.folders.map({ url.appendingPathComponent($0) }) {
        let names = Set(try Folder.names(in: folder))
        let batches = [collection.trainBatches[0], collection.testBatch]
        if collection.marks.isEmpty || !names.isDisjoint(with: collection.marks),
          batches.contains(where: { names.contains($0) || names.contains($0 + ".bin") })
        {
          return (collection, folder)
        }
      }
    }
    return nil
  }

  /// - Throws: `FileError`: `missing` when a batch is not there, `invalid` when one is damaged.
  func read(folder url: URL, split: DatasetSplit) throws(FileError) -> ImageArray {
    let names = Set(try Folder.names(in: url))
    let isBinary = (trainBatches + [testBatch]).contains { names.contains($0 + ".bin") }
    var batches: [String: [UInt8]] = [:]
    for name in batchNames(split) {
      let name = isBinary ? name + ".bin" : name
      let source = try openByteSource(url.appendingPathComponent(name))
      batches[name] = try source.bytes(min(source.upperBound, maxBatchBytes))
    }
    return try join(batches, split, path: url.path)
  }

  /// Reads the collection that a tar archive holds; nil when it holds neither.
  ///
  /// - Throws: `FileError` (`invalid`) when it lacks a batch, or is damaged.
  static func read(archive url: URL, split: DatasetSplit) throws(FileError) -> ImageArray? {
    for collection in [ten, hundred] {
      let all = Set((collection.trainBatches + [collection.testBatch]).flatMap { [$0, $0 + ".bin"] })
      let wanted = Set(collection.batchNames(split).flatMap { [$0, $0 + ".bin"] })
      var names: Set<String> = []
      func isInFolder(_ path: [String]) -> Bool {
        collection.marks.isEmpty || path.dropLast().last.map { collection.folders.contains($0) } ?? false
      }
      let files = try TarArchive.read(url, maxBytes: collection.maxBatchBytes) { path in
        guard let name = path.last, all.contains(name), isInFolder(path) else { return false }
        names.insert(name)
        return wanted.contains(name)
      }
      if names.isEmpty { continue }
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
      if let bytes = batches[name + ".bin"] {
        try addBinary(bytes, to: &pixels, &labels, path: "\(path)/\(name).bin")
      } else if let bytes = batches[name] {
        let batch = try CifarPickle.read(bytes, labels: labelsKey, path: "\(path)/\(name)")
        pixels += batch.pixels
        labels += batch.labels
      } else {
        throw FileError(
          .invalid, path: path, problem: "has neither \(name).bin nor \(name)",
          remedy: "choose \(name.contains("batch") ? "CIFAR-10" : "CIFAR-100")'s archive")
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

  private func addBinary(
    _ bytes: [UInt8], to pixels: inout [UInt8], _ labels: inout [Int], path: String
  ) throws(FileError) {
    guard !bytes.isEmpty, bytes.count % recordSize == 0 else {
      throw FileError(
        .invalid, path: path, problem: "has \(bytes.count) bytes, which are no whole records of \(recordSize)",
        remedy: "download it again")
    }
    for record in stride(from: 0, to: bytes.count, by: recordSize) {
      labels.append(Int(bytes[record + labelBytes - 1]))
      pixels += bytes[record + labelBytes..<record + recordSize]
    }
  }
}
