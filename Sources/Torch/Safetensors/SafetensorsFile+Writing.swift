import DDNFiles
import Foundation

extension SafetensorsFile {
  /// Writes tensors atomically; the same tensors and metadata always give the same bytes.
  ///
  /// Tensors are sorted by descending element size, then by name: so each starts at a multiple of its element size,
  /// which PyTorch's reader requires.
  ///
  /// - Parameters:
  ///   - tensors: in any order; `bytes` row-major and little-endian, matching `shape` and `dtype`.
  ///   - metadata: free text by name.
  ///   - url: of the file.
  /// - Throws: `FileError`: `failed` when writing fails, `invalid` for a duplicate or reserved name, or a
  ///   number of bytes that does not fit the shape.
  public static func write(
    _ tensors: [(name: String, dtype: DType, shape: [Int], bytes: Data)], metadata: [String: String], to url: URL
  ) throws(FileError) {
    let sorted = tensors.sorted { ($1.dtype.size, $0.name) < ($0.dtype.size, $1.name) }
    let header: Data
    do throws(SafetensorsProblem) {
      header = try SafetensorsHeader.encode(
        sorted.map { ($0.name, $0.dtype, $0.shape, $0.bytes.count) }, metadata: metadata)
    } catch {
      throw FileError(
        .invalid, path: url.path, problem: "cannot be written: \(error.text)",
        remedy: "report this, it is a fault of the program")
    }
    try AtomicFile.write(to: url) { (file) throws(FileError) in
      try file.write(header)
      for tensor in sorted { try file.write(tensor.bytes) }
    }
  }
}

extension SafetensorsHeader {
  /// The header's length and JSON, padded with spaces so that the data starts at a multiple of eight bytes.
  fileprivate static func encode(
    _ tensors: [(name: String, dtype: DType, shape: [Int], byteCount: Int)], metadata: [String: String]
  ) throws(SafetensorsProblem) -> Data {
    var members: [String] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }.map { "\(quote($0.key)):\(quote($0.value))" }
      members.append("\"\(metadataName)\":{\(pairs.joined(separator: ","))}")
    }
    var begin = 0
    for tensor in tensors {
      let end = begin + tensor.byteCount
      members.append(
        "\(quote(tensor.name)):{\"dtype\":\"\(tensor.dtype.rawValue)\",\"shape\":[\(list(tensor.shape))],"
          + "\"data_offsets\":[\(begin),\(end)]}")
      begin = end
    }
    var json = [UInt8]("{\(members.joined(separator: ","))}".utf8)
    json += [UInt8](repeating: UInt8(ascii: " "), count: (8 - json.count % 8) % 8)
    guard json.count <= SafetensorsFile.longestHeader else {
      throw SafetensorsProblem("its header would have \(json.count) bytes")
    }
    // Never write what the reader would refuse.
    _ = try SafetensorsHeader(parsing: json, dataBytes: begin)
    return withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) } + json
  }

  private static func list(_ shape: [Int]) -> String { shape.map { String($0) }.joined(separator: ",") }

  private static func quote(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\u{0}"..<" ":
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
