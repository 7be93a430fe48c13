import DDNFiles
import Foundation

/// CIFAR-10 as its authors publish it: 32 x 32 colour pictures of ten classes in batches.
///
/// Source: the description at <https://www.cs.toronto.edu/~kriz/cifar.html>.
enum Cifar10 {
  static let side = 32
  /// A class, then the red, the green and the blue plane.
  static let recordSize = 1 + pixelCount
  static let pixelCount = 3 * side * side
  /// More than any batch has, so that nothing larger is unpacked.
  private static let maxBatchBytes = 64 << 20

  /// The folder with the batches: this one, or the one of that name in it; nil when there is none.
  static func findFolder(_ url: URL) throws(FileError) -> URL? {
    for folder in [url] + ["cifar-10-batches-bin", "cifar-10-batches-py"].map({ url.appendingPathComponent($0) }) {
      let names = Set(try Folder.names(in: folder))
      if names.contains("data_batch_1.bin") || names.contains("data_batch_1") || names.contains("test_batch.bin")
        || names.contains("test_batch")
      {
        return folder
      }
    }
    return nil
  }

  /// - Throws: `FileError`: `missing` when a batch is not there, `invalid` when one is damaged.
  static func read(folder url: URL, split: DatasetSplit) throws(FileError) -> ImageArray {
    let isBinary = try Folder.names(in: url).contains { $0.hasSuffix("_batch_1.bin") || $0 == "test_batch.bin" }
    var batches: [String: [UInt8]] = [:]
    for name in batchNames(split) {
      let name = isBinary ? name + ".bin" : name
      let source = try openByteSource(url.appendingPathComponent(name))
      batches[name] = try source.bytes(min(source.upperBound, maxBatchBytes))
    }
    return try join(batches, split, path: url.path)
  }

  /// - Throws: `FileError` (`invalid`) when it is another archive, lacks a batch, or is damaged.
  static func read(archive url: URL, split: DatasetSplit) throws(FileError) -> ImageArray {
    let wanted = Set(batchNames(split).flatMap { [$0, $0 + ".bin"] })
    return try join(
      TarArchive.read(url, maxBytes: maxBatchBytes) { wanted.contains($0) }, split, path: url.path)
  }

  private static func batchNames(_ split: DatasetSplit) -> [String] {
    split == .train ? (1...5).map { "data_batch_\($0)" } : ["test_batch"]
  }

  private static func join(
    _ batches: [String: [UInt8]], _ split: DatasetSplit, path: String
  ) throws(FileError) -> ImageArray {
    var (pixels, labels): ([UInt8], [Int]) = ([], [])
    pixels.reserveCapacity(batches.values.reduce(0) { $0 + $1.count })
    for name in batchNames(split) {
      if let bytes = batches[name + ".bin"] {
        try addBinary(bytes, to: &pixels, &labels, path: "\(path)/\(name).bin")
      } else if let bytes = batches[name] {
        let batch = try CifarPickle.read(bytes, path: "\(path)/\(name)")
        pixels += batch.pixels
        labels += batch.labels
      } else {
        throw FileError(
          .invalid, path: path, problem: "has neither \(name).bin nor \(name)", remedy: "choose CIFAR-10's archive")
      }
    }
    if let place = labels.firstIndex(where: { !(0...9).contains($0) }) {
      throw FileError(
        .invalid, path: path, problem: "label \(place) is \(labels[place]), not a class from 0 to 9",
        remedy: "download it again")
    }
    return ImageArray(name: "cifar10-\(split.rawValue)", channels: 3, side: side, pixels: pixels, labels: labels)
  }

  private static func addBinary(
    _ bytes: [UInt8], to pixels: inout [UInt8], _ labels: inout [Int], path: String
  ) throws(FileError) {
    guard !bytes.isEmpty, bytes.count % recordSize == 0 else {
      throw FileError(
        .invalid, path: path, problem: "has \(bytes.count) bytes, which are no whole records of \(recordSize)",
        remedy: "download it again")
    }
    for record in stride(from: 0, to: bytes.count, by: recordSize) {
      labels.append(Int(bytes[record]))
      pixels += bytes[record + 1..<record + recordSize]
    }
  }
}
