import DDNFiles
import Foundation

/// A file's content, read sequentially.
public protocol ByteSource {
  /// An upper bound on the bytes that remain, independent of headers.
  var upperBound: Int { get }

  /// Fills `buffer` and returns the number of bytes written: fewer than asked only at the end, after its checksum is
  /// verified.
  ///
  /// - Throws: `FileError` (`invalid`) when the content is damaged or truncated.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int
}

extension ByteSource {
  /// The next `count` bytes, fewer only at the end.
  public func bytes(_ count: Int) throws(FileError) -> [UInt8] {
    var failure: FileError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      do throws(FileError) { filled = try read(into: UnsafeMutableRawBufferPointer(buffer)) } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }
}

/// Opens a plain or gzip file, by its first two bytes.
///
/// - Throws: `FileError`: `missing` when the file does not exist, `invalid` for a folder, `failed` when it cannot be
///   read.
public func openByteSource(_ url: URL) throws(FileError) -> any ByteSource {
  let data = try InputFile.map(url)
  return data.starts(with: [0x1f, 0x8b]) ? try GzipSource(data, path: url.path) : PlainSource(data)
}

private final class PlainSource: ByteSource {
  private let data: Data
  private var position = 0

  init(_ data: Data) { self.data = data }

  var upperBound: Int { data.count - position }

  func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(buffer.count, upperBound)
    data.withUnsafeBytes { buffer.copyMemory(from: .init(rebasing: $0[position..<position + count])) }
    position += count
    return count
  }
}
