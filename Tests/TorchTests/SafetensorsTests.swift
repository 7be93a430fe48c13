import DDNFiles
import Foundation
import GoldenSupport
import Testing
import Torch

@Suite struct SafetensorsTests {
  /// A folder of its own for every test.
  final class Scratch {
    let url = FileManager.default.temporaryDirectory.appending(path: "safetensors-\(UUID().uuidString)")
    var file: URL { url.appending(path: "tensors.safetensors") }
    init() throws { try Folder.create(url) }
    deinit { try? FileManager.default.removeItem(at: url) }
  }

  typealias Tensor = (name: String, dtype: DType, shape: [Int], bytes: Data)

  static func tensor(_ name: String, _ dtype: DType, _ shape: [Int]) -> Tensor {
    let count = shape.reduce(dtype.size, *)
    return (name, dtype, shape, Data((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ name.utf8.count) }))
  }

  /// The bytes of a file with this header and `dataBytes` zeros behind it.
  static func file(_ header: [UInt8], dataBytes: Int) -> Data {
    withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) } + header + Data(count: dataBytes)
  }

  @Test func everyTypeAndShapeComesBackAsItWasWritten() throws {
    let scratch = try Scratch()
    var tensors = DType.allCases.map { Self.tensor("matrix.\($0.rawValue)", $0, [3, 5]) }
    tensors += DType.allCases.map { Self.tensor("scalar.\($0.rawValue)", $0, []) }
    tensors += DType.allCases.map { Self.tensor("empty.\($0.rawValue)", $0, [2, 0, 7]) }
    tensors.append(Self.tensor("quote \" back \\ line \n\u{1} \u{1F600} é", .uint8, [1]))
    let metadata = ["format": "pt", "note \"\n\u{1F}": "text \\ \t\u{7F} \u{1F600}", "": ""]
    try SafetensorsFile.write(tensors.shuffled(), metadata: metadata, to: scratch.file)

    let file = try SafetensorsFile(contentsOf: scratch.file)
    #expect(file.metadata == metadata)
    #expect(file.entries.count == tensors.count)
    for tensor in tensors {
      let entry = try file.entry(tensor.name)
      #expect(entry.dtype == tensor.dtype && entry.shape == tensor.shape)
      #expect(entry.byteRange.lowerBound % entry.dtype.size == 0)
      #expect(try file.withBytes(of: tensor.name) { Data($0) } == tensor.bytes)
    }
  }

  @Test func aFileWithoutTensorsComesBackEmpty() throws {
    let scratch = try Scratch()
    try SafetensorsFile.write([], metadata: [:], to: scratch.file)
    let file = try SafetensorsFile(contentsOf: scratch.file)
    #expect(file.entries.isEmpty && file.metadata.isEmpty)
  }

  @Test func theSameTensorsInAnotherOrderGiveTheSameAlignedBytes() throws {
    let scratch = try Scratch()
    let tensors = [Self.tensor("b", .uint8, [3]), Self.tensor("a", .float32, [1]), Self.tensor("c", .float32, [2])]
    try SafetensorsFile.write(tensors, metadata: ["x": "1", "y": "2"], to: scratch.file)
    let first = try Data(contentsOf: scratch.file)
    try SafetensorsFile.write(tensors.reversed(), metadata: ["y": "2", "x": "1"], to: scratch.file)
    #expect(try Data(contentsOf: scratch.file) == first)

    let header = """
      {"__metadata__":{"x":"1","y":"2"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},\
      "c":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},"b":{"dtype":"U8","shape":[3],"data_offsets":[12,15]}}
      """
    let padded = [UInt8](header.utf8) + [UInt8](repeating: 0x20, count: (8 - header.utf8.count % 8) % 8)
    #expect(padded.count % 8 == 0)
    #expect(first == Self.file(padded, dataBytes: 0) + tensors[1].bytes + tensors[2].bytes + tensors[0].bytes)
  }

  @Test func elementsAreReadInTheirTypeAndNoOther() throws {
    let scratch = try Scratch()
    func bytes<T>(_ values: [T]) -> Data { values.withUnsafeBytes { Data($0) } }
    try SafetensorsFile.write(
      [
        ("f", .float32, [2], bytes([Float(1.5), -0.25])), ("d", .float64, [1], bytes([Double.pi])),
        ("i", .int32, [2], bytes([Int32.min, 7])),
      ], metadata: [:], to: scratch.file)
    let file = try SafetensorsFile(contentsOf: scratch.file)
    #expect(try file.floats("f") == [1.5, -0.25])
    #expect(try file.doubles("d") == [.pi])
    #expect(try file.int32s("i") == [.min, 7])
    let wrongType = try #require(throws: FileError.self) { try file.floats("i") }
    #expect(wrongType.problem == "tensor \"i\" is I32, not F32")
    let absent = try #require(throws: FileError.self) { try file.withBytes(of: "z") { $0.count } }
    #expect(absent.kind == .invalid && absent.problem == "has no tensor \"z\"")
  }

  @Test func unalignedTensorsOfOtherWritersAreRead() throws {
    let scratch = try Scratch()
    let header = """
      {"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"f":{"dtype":"F32","shape":[],"data_offsets":[1,5]}}
      """
    let float = withUnsafeBytes(of: Float(2.5)) { Data($0) }
    try (Self.file([UInt8](header.utf8), dataBytes: 1) + float).write(to: scratch.file)
    #expect(try SafetensorsFile(contentsOf: scratch.file).floats("f") == [2.5])
  }

  @Test func escapedNamesAreReadAsTheCharactersTheyMean() throws {
    let scratch = try Scratch()
    let entry = #"{ "shape":[ ], "data_offsets":[0, 1],"dtype":"BOOL","more":[-1.5e+3,true,null]}"#
    let header = #"{ "\u0061\/\ud83d\ude00\n" : \#(entry)}"#
    try Self.file([UInt8](header.utf8), dataBytes: 1).write(to: scratch.file)
    #expect(try SafetensorsFile(contentsOf: scratch.file).entries.keys.sorted() == ["a/\u{1F600}\n"])
  }

  @Test func whatTheReaderWouldRefuseIsNotWritten() throws {
    let scratch = try Scratch()
    let twice = [Self.tensor("a", .uint8, [1]), Self.tensor("a", .uint8, [1])]
    let short: [Tensor] = [("a", .float32, [2], Data(count: 7))]
    let reserved = [Self.tensor("__metadata__", .uint8, [1])]
    for tensors in [twice, short, reserved] {
      let error = try #require(throws: FileError.self) {
        try SafetensorsFile.write(tensors, metadata: ["k": "v"], to: scratch.file)
      }
      #expect(error.kind == .invalid)
    }
    #expect(throws: FileError.self) { try SafetensorsFile.write(reserved, metadata: [:], to: scratch.file) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.url.path).isEmpty)
  }

  @Test func aFileThatIsNotThereIsCalledMissing() throws {
    let scratch = try Scratch()
    let error = try #require(throws: FileError.self) { try SafetensorsFile(contentsOf: scratch.file) }
    #expect(error.kind == .missing)
  }

  @Test(arguments: MalformedFile.all)
  func aMalformedFileIsRefusedWithItsReason(_ malformed: MalformedFile) throws {
    let scratch = try Scratch()
    try malformed.bytes.write(to: scratch.file)
    let error = try #require(throws: FileError.self) { try SafetensorsFile(contentsOf: scratch.file) }
    #expect(error.kind == .invalid)
    #expect(error.path == scratch.file.path)
    #expect(error.problem.contains(malformed.reason), "\(error)")
    #expect(error.remedy.contains("download it again or save it again"))
  }

  @Test func aDamagedFileIsRefusedOrReadConsistentlyButNeverCrashes() throws {
    let scratch = try Scratch()
    try SafetensorsFile.write(
      [Self.tensor("weight", .float32, [2, 3]), Self.tensor("counts", .int64, [2]), Self.tensor("s\n", .uint8, [])],
      metadata: ["format": "pt", "a": "\u{1F600}\\"], to: scratch.file)
    let valid = try Data(contentsOf: scratch.file)
    var damage = Damage(seed: 20_240_607)
    var refused = 0
    for _ in 0..<2_000 {
      try damage.apply(to: valid).write(to: scratch.file)
      do {
        let file = try SafetensorsFile(contentsOf: scratch.file)
        for (name, entry) in file.entries {
          let count = try file.withBytes(of: name) { $0.count }
          #expect(count == entry.byteRange.count && count == entry.shape.reduce(entry.dtype.size, *))
        }
      } catch is FileError {
        refused += 1
      }
    }
    #expect(refused > 1_000 && refused < 2_000)
  }
}

/// Damages bytes reproducibly.
private struct Damage {
  private var generator: SeededGenerator
  /// Bytes with a meaning in headers.
  private static let telling = [UInt8](#"{}[]",:0123456789-+.eEu\ tfn"#.utf8) + [0x00, 0x7F, 0x80, 0xED, 0xFF]

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  mutating func apply(to valid: Data) -> Data {
    var bytes = [UInt8](valid)
    for _ in 0..<Int.random(in: 1...3, using: &generator) where !bytes.isEmpty {
      let place = Int.random(in: 0..<bytes.count, using: &generator)
      switch Int.random(in: 0..<10, using: &generator) {
      case 0: bytes.removeLast(bytes.count - place)
      case 1: bytes.remove(at: place)
      case 2: bytes.insert(Self.telling.randomElement(using: &generator)!, at: place)
      case 3..<7: bytes[place] = Self.telling.randomElement(using: &generator)!
      default: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      }
    }
    return Data(bytes)
  }
}
