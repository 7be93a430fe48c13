import Archives
import DDNFiles
import Foundation
import Torch

/// Feature vectors in a file that grows by batches: a killed process loses the last batch at most.
///
/// A header of magic, feature count and identity, then records: number of rows, CRC-32, and the rows as float32. Records
/// after the first damaged one are dropped.
public final class FeatureFile {
  /// Features a row.
  public let featureCount: Int
  /// Rows so far.
  public private(set) var count = 0
  private let path: String
  private let descriptor: Int32
  /// Of the next record.
  private var end = 0
  /// First row and offset of the rows of every record.
  private var records: [(row: Int, offset: Int)] = []

  private static let magic = Data("DDNFEAT1".utf8)
  private static let recordHeader = 8
  /// Rows of a record at most, so that a damaged length cannot ask for much memory.
  private static let mostRows = 1 << 16

  /// Opens or creates a file and locks it.
  ///
  /// - Parameters:
  ///   - url: of the file; nil for a temporary one without a name, in the folder for temporary files.
  ///   - identity: of detector and images; a file of another identity is emptied.
  ///   - featureCount: features a row.
  /// - Throws: `FileError` (`failed`) when it cannot be read or written, or another process writes it.
  public init(_ url: URL?, identity: String, featureCount: Int) throws(FileError) {
    self.featureCount = featureCount
    if let url {
      path = url.path
      descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else { throw .system("cannot be opened", path: path) }
      // Network file systems without locks are accepted.
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
        close(descriptor)
        throw FileError(
          .failed, path: path, problem: "another process computes these features", remedy: "wait for it or stop it")
      }
    } else {
      path = FileManager.default.temporaryDirectory.appendingPathComponent("ddn-features-\(UUID().uuidString)").path
      descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else { throw .system("cannot be created", path: path) }
      unlink(path)
    }
    var header = Self.magic
    for number in [featureCount, identity.utf8.count] { header.append(Self.bytes(UInt32(number))) }
    header.append(contentsOf: identity.utf8)
    end = header.count
    if try read(header.count, at: 0) == header {
      try index()
    } else {
      try truncate(to: 0)
      try write(header, at: 0)
    }
  }

  deinit { close(descriptor) }

  /// Finds the intact records and drops the rest.
  private func index() throws(FileError) {
    while let header = try read(Self.recordHeader, at: end) {
      let (rows, checksum) = (Int(Self.number(header.prefix(4))), Self.number(header.suffix(4)))
      guard (1...Self.mostRows).contains(rows),
        let content = try read(rows * featureCount * 4, at: end + Self.recordHeader),
        Checksum.crc32(content) == checksum
      else { break }
      add(rows)
    }
    try truncate(to: end)
  }

  private func add(_ rows: Int) {
    records.append((count, end + Self.recordHeader))
    end += Self.recordHeader + rows * featureCount * 4
    count += rows
  }

  /// Appends rows.
  ///
  /// - Parameter features: `[N, featureCount]`.
  /// - Throws: `FileError` (`failed`) when the disk is full; the file then keeps its rows. `TorchError`.
  public func append(_ features: Tensor) throws {
    precondition(features.shape.count == 2 && features.shape[1] == featureCount, "\(features.shape) is no row")
    let rows = features.shape[0]
    precondition((1...Self.mostRows).contains(rows), "\(rows) rows at once")
    let content = try features.to(.cpu).to(.float32).contiguous().bytes()
    do throws(FileError) {
      try write(Self.bytes(UInt32(rows)) + Self.bytes(Checksum.crc32(content)) + content, at: end)
    } catch {
      try? truncate(to: end)
      throw error
    }
    add(rows)
  }

  /// The features of consecutive rows: `[range.count, featureCount]` float32.
  ///
  /// - Throws: `FileError` (`failed`); `TorchError`.
  public func rows(_ range: Range<Int>) throws -> Tensor { try rows(Array(range)) }

  /// The features of the rows at `indices`, in their order: `[indices.count, featureCount]` float32.
  ///
  /// - Throws: `FileError` (`failed`); `TorchError`.
  public func rows(_ indices: [Int]) throws -> Tensor {
    var bytes = Data(capacity: indices.count * featureCount * 4)
    var place = 0
    while place < indices.count {
      let (offset, left) = offset(of: indices[place])
      // Neighbours within a record are read at once.
      var length = 1
      while place + length < indices.count, length < left, indices[place + length] == indices[place] + length {
        length += 1
      }
      guard let found = try read(length * featureCount * 4, at: offset) else {
        throw FileError(.failed, path: path, problem: "became shorter", remedy: "run the command again")
      }
      bytes.append(found)
      place += length
    }
    return try bytes.withUnsafeBytes {
      try Tensor(bytes: $0, shape: [indices.count, featureCount], dtype: .float32)
    }
  }

  /// Where a row is, and how many of its record remain from it.
  private func offset(of row: Int) -> (offset: Int, left: Int) {
    precondition((0..<count).contains(row), "row \(row) of \(count)")
    var (low, high) = (0, records.count - 1)
    while low < high {
      let middle = (low + high + 1) / 2
      if records[middle].row <= row { low = middle } else { high = middle - 1 }
    }
    let next = low + 1 < records.count ? records[low + 1].row : count
    return (records[low].offset + (row - records[low].row) * featureCount * 4, next - row)
  }

  /// `size` bytes; nil when the file ends before.
  private func read(_ size: Int, at offset: Int) throws(FileError) -> Data? {
    var data = Data(count: size)
    var done = 0
    while done < size {
      let found = data.withUnsafeMutableBytes {
        pread(descriptor, $0.baseAddress! + done, size - done, off_t(offset + done))
      }
      if found == 0 { return nil }
      if found < 0, errno != EINTR { throw .system("cannot be read", path: path) }
      done += max(found, 0)
    }
    return data
  }

  private func write(_ bytes: Data, at offset: Int) throws(FileError) {
    var done = 0
    while done < bytes.count {
      let written = bytes.withUnsafeBytes {
        pwrite(descriptor, $0.baseAddress! + done, bytes.count - done, off_t(offset + done))
      }
      if written < 0, errno != EINTR { throw .system("cannot be written", path: path) }
      done += max(written, 0)
    }
  }

  private func truncate(to size: Int) throws(FileError) {
    guard ftruncate(descriptor, off_t(size)) == 0 else { throw .system("cannot be written", path: path) }
  }

  private static func bytes(_ number: UInt32) -> Data { withUnsafeBytes(of: number.littleEndian) { Data($0) } }

  private static func number(_ bytes: Data) -> UInt32 { bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) } }
}
