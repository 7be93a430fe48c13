import CZlib
import Foundation

/// One gzip member, compressed by zlib.
package func gzip(_ content: Data) -> Data {
  var stream = z_stream()
  let size = Int32(MemoryLayout<z_stream>.size)
  precondition(deflateInit2_(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size) == Z_OK)
  var input = [UInt8](content)
  var output = [UInt8](repeating: 0, count: input.count * 2 + 100)
  let outputCount = output.count
  input.withUnsafeMutableBufferPointer { input in
    output.withUnsafeMutableBufferPointer { output in
      stream.next_in = input.baseAddress
      stream.avail_in = UInt32(input.count)
      stream.next_out = output.baseAddress
      stream.avail_out = UInt32(output.count)
      precondition(deflate(&stream, Z_FINISH) == Z_STREAM_END)
    }
  }
  deflateEnd(&stream)
  return Data(output.prefix(outputCount - Int(stream.avail_out)))
}
