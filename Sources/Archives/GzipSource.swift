import CZlib
import DDNFiles
import Foundation

/// Inflates the concatenated members of a gzip file, and checks each one's CRC and length.
final class GzipSource: ByteSource {
  private let data: Data
  private let path: String
  private var position = 0
  private var memberEnded = false
  /// On the heap, because zlib keeps a pointer to it.
  private let stream: UnsafeMutablePointer<z_stream>

  init(_ data: Data, path: String) throws(FileError) {
    self.data = data
    self.path = path
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    // 15: the largest window; + 16: gzip instead of zlib format.
    let status = inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard status == Z_OK else {
      throw FileError(
        .failed, path: path, problem: "zlib cannot be initialized (status \(status))", remedy: "check the zlib library")
    }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  /// Deflate expands at most 1,032 times; zlib's window may hold the rest.
  var upperBound: Int { (data.count - position) * 1_032 + (1 << 16) }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
    let result: Result<Int, FileError> = data.withUnsafeBytes { input in
      do throws(FileError) { return .success(try inflate(input, into: buffer)) } catch { return .failure(error) }
    }
    return try result.get()
  }

  private func inflate(
    _ input: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer
  ) throws(FileError) -> Int {
    var filled = 0
    while filled < buffer.count {
      if memberEnded {
        if position == input.count { break }
        guard input[position...].starts(with: [0x1f, 0x8b]) else {
          throw invalid("has \(input.count - position) trailing bytes after the gzip content")
        }
        inflateReset(stream)
        memberEnded = false
      }
      let inputCount = min(input.count - position, Int(Int32.max))
      let outputCount = min(buffer.count - filled, Int(Int32.max))
      stream.pointee.next_in = UnsafeMutablePointer(
        mutating: input.baseAddress!.advanced(by: position).assumingMemoryBound(to: UInt8.self))
      stream.pointee.avail_in = UInt32(inputCount)
      stream.pointee.next_out = buffer.baseAddress!.advanced(by: filled).assumingMemoryBound(to: UInt8.self)
      stream.pointee.avail_out = UInt32(outputCount)
      let status = CZlib.inflate(stream, Z_NO_FLUSH)
      position += inputCount - Int(stream.pointee.avail_in)
      filled += outputCount - Int(stream.pointee.avail_out)
      switch status {
      case Z_OK: continue
      case Z_STREAM_END: memberEnded = true
      case Z_BUF_ERROR: throw invalid("is truncated within the gzip content")
      case Z_MEM_ERROR:
        throw FileError(.failed, path: path, problem: "zlib is out of memory", remedy: "close other programs")
      default:
        let reason = stream.pointee.msg.map { String(cString: $0) } ?? "status \(status)"
        throw invalid("is damaged gzip content: \(reason)")
      }
    }
    return filled
  }

  private func invalid(_ problem: String) -> FileError {
    FileError(.invalid, path: path, problem: problem, remedy: "download it again")
  }
}
