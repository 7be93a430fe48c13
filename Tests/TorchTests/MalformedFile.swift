import Foundation
import Testing

/// A file that breaks the safetensors format in one way, and words of the reason that the reader must give.
struct MalformedFile: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let bytes: Data
  let reason: String

  private init(_ what: String, bytes: Data, _ reason: String) {
    (testDescription, self.bytes, self.reason) = (what, bytes, reason)
  }

  private init(_ what: String, _ header: String, dataBytes: Int = 0, _ reason: String) {
    self.init(what, bytes: SafetensorsTests.file([UInt8](header.utf8), dataBytes: dataBytes), reason)
  }

  /// One tensor `a` of these fields, with eight bytes of data.
  private init(
    _ what: String, dtype: String = #""F32""#, shape: String = "[2]", offsets: String = "[0,8]", _ reason: String
  ) {
    let header = #"{"a":{"dtype":\#(dtype),"shape":\#(shape),"data_offsets":\#(offsets)}}"#
    self.init(what, header, dataBytes: 8, reason)
  }

  private static func bytes(_ name: String, _ begin: Int, _ end: Int) -> String {
    #""\#(name)":{"dtype":"U8","shape":[\#(end - begin)],"data_offsets":[\#(begin),\#(end)]}"#
  }

  static let all = framing + json + entries + cover

  private static let framing = [
    MalformedFile("no bytes", bytes: Data(), "has 0 bytes"),
    MalformedFile("seven bytes", bytes: Data(count: 7), "has 7 bytes"),
    MalformedFile("an empty header", bytes: Data(count: 8), "empty header"),
    MalformedFile("a header longer than the file", bytes: Data([10, 0, 0, 0, 0, 0, 0, 0, 0x7B]), "ends after 1 of"),
    MalformedFile("a header of all bits", bytes: Data(repeating: 0xFF, count: 64), "above the limit"),
    MalformedFile(
      "a header without tensors", bytes: SafetensorsTests.file([UInt8](repeating: 32, count: 9_000_000), dataBytes: 0),
      "more than its tensors have"),
    MalformedFile("a picture", bytes: Data([0x89, 0x50, 0x4E, 0x47, 13, 10, 26, 10, 0]), "but a PNG picture"),
    MalformedFile("a header beyond 100 MB", bytes: Data([1, 0xE1, 0xF5, 5, 0, 0, 0, 0, 0x7B]), "above the limit"),
  ]

  private static let json = [
    MalformedFile(
      "a header that is not UTF-8",
      bytes: SafetensorsTests.file([UInt8](#"{""#.utf8) + [0xFF] + [UInt8](#"":1}"#.utf8), dataBytes: 0), "not UTF-8"),
    MalformedFile("a header that starts with a space", " {}", "does not start with '{'"),
    MalformedFile("a list for a header", "[]", "does not start with '{'"),
    MalformedFile("a header without an end", "{", "a name was expected"),
    MalformedFile("a name without quotes", "{a:1}", "a name was expected"),
    MalformedFile("a comma too many", #"{"a":1,}"#, "a name was expected"),
    MalformedFile("no colon", #"{"a" 1}"#, "':' was expected"),
    MalformedFile("no value", #"{"a":}"#, "a value was expected"),
    MalformedFile("half a word", #"{"a":nul}"#, "a value was expected"),
    MalformedFile("a list without an end", #"{"a":[1"#, "',' or ']'"),
    MalformedFile("a text without an end", #"{"a"#, "without an end"),
    MalformedFile("a line break in a text", "{\"a\n\":1}", "control character"),
    MalformedFile("an unknown escape", #"{"\x":1}"#, "unknown escape"),
    MalformedFile("an escape cut short", #"{"\u00"#, "hexadecimal"),
    MalformedFile("half a character", #"{"\ud83d":1}"#, "half a character"),
    MalformedFile("the second half of a character", #"{"\ude00\ud83d":1}"#, "half a character"),
    MalformedFile("a leading zero", #"{"a":01}"#, "starts with 0"),
    MalformedFile("text after the header", "{}x", "text after the end"),
    MalformedFile("padding by zeros", "{}\0", "text after the end"),
    MalformedFile("a very deep header", #"{"a":"# + String(repeating: "[", count: 100_000), "more than 16 levels"),
    MalformedFile(
      "a very long list", #"{"a":["# + String(repeating: "1,", count: 100_000) + "1]}", "more than 64 values"),
    MalformedFile("a name given twice", "{\(bytes("a", 0, 1)),\(bytes("a", 0, 1))}", dataBytes: 1, #"names "a" twice"#),
    MalformedFile("metadata that is a list", #"{"__metadata__":[]}"#, "no object"),
    MalformedFile("metadata that is a number", #"{"__metadata__":{"k":1}}"#, #""k" is no text"#),
    MalformedFile("metadata given twice", #"{"__metadata__":{},"__metadata__":{}}"#, "twice"),
  ]

  private static let entries = [
    MalformedFile("an entry that is a number", #"{"a":1}"#, "described by no object"),
    MalformedFile("no dtype", #"{"a":{"shape":[2],"data_offsets":[0,8]}}"#, dataBytes: 8, "no dtype"),
    MalformedFile("no shape", #"{"a":{"dtype":"F32","data_offsets":[0,8]}}"#, dataBytes: 8, "no shape"),
    MalformedFile("no offsets", #"{"a":{"dtype":"F32","shape":[2]}}"#, dataBytes: 8, "no data_offsets"),
    MalformedFile("a dtype that is a number", dtype: "1", "no dtype"),
    MalformedFile("an unknown dtype", dtype: #""F31""#, #"unknown dtype "F31""#),
    MalformedFile("a shape that is a number", shape: "2", "no shape"),
    MalformedFile("a negative size", shape: "[-2]", "no shape"),
    MalformedFile("a fraction for a size", shape: "[2.0]", "no shape"),
    MalformedFile("a text for a size", shape: #"["2"]"#, "no shape"),
    MalformedFile("a size beyond 64 bits", shape: "[18446744073709551616]", "no shape"),
    MalformedFile("a shape whose product overflows", shape: "[4294967296,4294967296]", "too large"),
    MalformedFile("a shape whose bytes overflow", shape: "[4611686018427387904]", "too large"),
    MalformedFile(
      "a shape of more sizes than any tensor has", shape: "[2\(String(repeating: ",1", count: 64))]",
      "more than 64 values"),
    MalformedFile("a control character in a name", #"{"a\n\u001b":1}"#, #"tensor "a\n\u{1B}" is described"#),
    MalformedFile(
      "a name of a million characters", "{\"\(String(repeating: "a", count: 1_000_000))\":1}",
      "tensor \"\(String(repeating: "a", count: 80))\"... is described by no object"),
    MalformedFile("too few bytes for the shape", shape: "[3]", "8 bytes where its shape and dtype need 12"),
    MalformedFile("too many bytes for the shape", shape: "[]", "8 bytes where its shape and dtype need 4"),
    MalformedFile("one offset", offsets: "[0]", "no data_offsets"),
    MalformedFile("three offsets", offsets: "[0,8,8]", "no data_offsets"),
    MalformedFile("a negative offset", offsets: "[-8,0]", "no data_offsets"),
    MalformedFile("an end before the begin", offsets: "[8,0]", "before its begin"),
    MalformedFile("an end beyond the data", offsets: "[1,9]", "ends at byte 9 of the data, which has 8"),
    MalformedFile("an end at the largest number", offsets: "[0,9223372036854775807]", "which has 8"),
  ]

  private static let cover = [
    MalformedFile("two tensors in one place", "{\(bytes("a", 0, 4)),\(bytes("b", 0, 4))}", dataBytes: 4, "overlaps"),
    MalformedFile("tensors that overlap", "{\(bytes("b", 2, 6)),\(bytes("a", 0, 4))}", dataBytes: 6, #""b" overlaps"#),
    MalformedFile("an empty one within another", "{\(bytes("a", 0, 4)),\(bytes("b", 2, 2))}", dataBytes: 4, "overlaps"),
    MalformedFile("a hole before the first tensor", "{\(bytes("a", 1, 4))}", dataBytes: 4, "belong to no tensor"),
    MalformedFile(
      "a hole between tensors", "{\(bytes("a", 0, 2)),\(bytes("b", 3, 4))}", dataBytes: 4, "bytes 2 to 3 of the data"),
    MalformedFile("bytes after the last tensor", "{\(bytes("a", 0, 3))}", dataBytes: 5, "2 bytes after its last"),
    MalformedFile("data without a tensor", "{}", dataBytes: 1, "1 bytes after its last tensor"),
  ]
}
