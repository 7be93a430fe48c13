import DDNFiles

/// A safetensors header, consistent in itself and with the size of the data after it.
struct SafetensorsHeader {
  /// The only name that is not a tensor.
  static let metadataName = "__metadata__"

  let metadata: [String: String]
  let entries: [String: SafetensorsFile.Entry]

  /// - Parameters:
  ///   - json: the header's bytes, padding included.
  ///   - dataBytes: the number of bytes after the header.
  init(parsing json: [UInt8], dataBytes: Int) throws(SafetensorsProblem) {
    var scanner = HeaderScanner(json)
    var metadata: [String: String] = [:]
    var entries: [String: SafetensorsFile.Entry] = [:]
    for (name, value) in try scanner.document() {
      if name == Self.metadataName {
        metadata = try Self.metadata(value)
      } else {
        entries[name] = try Self.entry(name, value, dataBytes: dataBytes)
      }
    }
    try Self.checkCover(entries, dataBytes: dataBytes)
    self.metadata = metadata
    self.entries = entries
  }

  private static func metadata(_ value: HeaderScanner.Value) throws(SafetensorsProblem) -> [String: String] {
    guard case .object(let members) = value else { throw SafetensorsProblem("has a \(metadataName) that is no object") }
    var metadata: [String: String] = [:]
    for (name, value) in members {
      guard case .string(let text) = value else {
        throw SafetensorsProblem("has a \(metadataName) whose \(quoted(name)) is no text")
      }
      metadata[name] = text
    }
    return metadata
  }

  private static func entry(
    _ name: String, _ value: HeaderScanner.Value, dataBytes: Int
  ) throws(SafetensorsProblem) -> SafetensorsFile.Entry {
    let tensor = "tensor \(quoted(name))"
    guard case .object(let members) = value else { throw SafetensorsProblem("\(tensor) is described by no object") }
    func field(_ key: String) -> HeaderScanner.Value? { members.first { $0.name == key }?.value }

    guard case .string(let typeName)? = field("dtype") else { throw SafetensorsProblem("\(tensor) has no dtype") }
    guard let dtype = DType(rawValue: typeName) else {
      throw SafetensorsProblem("\(tensor) has the unknown dtype \(quoted(typeName))")
    }
    guard let shape = wholeNumbers(field("shape")) else {
      throw SafetensorsProblem("\(tensor) has no shape of whole numbers")
    }
    guard let offsets = wholeNumbers(field("data_offsets")), offsets.count == 2 else {
      throw SafetensorsProblem("\(tensor) has no data_offsets of two whole numbers")
    }
    let (begin, end) = (offsets[0], offsets[1])
    guard begin <= end else { throw SafetensorsProblem("\(tensor) ends at byte \(end), before its begin at \(begin)") }
    guard end <= dataBytes else {
      throw SafetensorsProblem("\(tensor) ends at byte \(end) of the data, which has \(dataBytes)")
    }
    guard let byteCount = byteCount(shape, dtype) else {
      throw SafetensorsProblem("\(tensor) has a shape too large to count its bytes")
    }
    guard end - begin == byteCount else {
      throw SafetensorsProblem("\(tensor) has \(end - begin) bytes where its shape and dtype need \(byteCount)")
    }
    return SafetensorsFile.Entry(dtype: dtype, shape: shape, byteRange: begin..<end)
  }

  /// The elements of a list of non-negative integers; nil for anything else.
  private static func wholeNumbers(_ value: HeaderScanner.Value?) -> [Int]? {
    guard case .array(let values)? = value else { return nil }
    var numbers: [Int] = []
    for value in values {
      guard case .wholeNumber(let number) = value else { return nil }
      numbers.append(number)
    }
    return numbers
  }

  /// Nil if the product overflows.
  private static func byteCount(_ shape: [Int], _ dtype: DType) -> Int? {
    var product = dtype.size
    for size in shape {
      let (next, overflow) = product.multipliedReportingOverflow(by: size)
      if overflow { return nil }
      product = next
    }
    return product
  }

  /// Every byte of the data belongs to exactly one tensor.
  private static func checkCover(
    _ entries: [String: SafetensorsFile.Entry], dataBytes: Int
  ) throws(SafetensorsProblem) {
    let inOrder = entries.sorted {
      ($0.value.byteRange.lowerBound, $0.value.byteRange.upperBound, $0.key)
        < ($1.value.byteRange.lowerBound, $1.value.byteRange.upperBound, $1.key)
    }
    var covered = 0
    for (name, entry) in inOrder {
      let begin = entry.byteRange.lowerBound
      if begin < covered {
        throw SafetensorsProblem("tensor \(quoted(name)) overlaps the tensor before it")
      }
      if begin > covered {
        throw SafetensorsProblem(
          "bytes \(covered) to \(begin) of the data belong to no tensor; \(quoted(name)) comes next")
      }
      covered = entry.byteRange.upperBound
    }
    guard covered == dataBytes else {
      throw SafetensorsProblem("has \(dataBytes - covered) bytes after its last tensor")
    }
  }
}

/// A violation of the format; callers add the file's name.
struct SafetensorsProblem: Error {
  let text: String

  init(_ text: String) { self.text = text }
}
