import Archives
import DDNFiles
import Foundation
import Torch

/// A flat run of numbers, little-endian.
struct StoredNumbers {
  let dtype: DType
  let bytes: Data
  /// Bytes of the file that were read to find them; 0 when they had been found before.
  var bytesRead: Int

  init(dtype: DType, bytes: Data) {
    (self.dtype, self.bytes, bytesRead) = (dtype, bytes, bytes.count)
  }
}

/// Where the numbers of a file's tensors are.
protocol Storages {
  /// - Parameter value: the first argument of `_rebuild_tensor_v2`.
  mutating func numbers(_ value: PickleValue, in graph: PickleGraph) throws(ImportProblem) -> StoredNumbers
}

/// Storages of a snapshot: each is a file of torch.save within the pickle.
struct EmbeddedStorages: Storages {
  func numbers(_ value: PickleValue, in graph: PickleGraph) throws(ImportProblem) -> StoredNumbers {
    let what = "a tensor's storage"
    let call = try graph.object(value, .loadFromBytes, what)
    let arguments = try graph.tuple(call.arguments, what)
    guard arguments.count == 1 else { throw ImportProblem("\(what) has \(arguments.count) arguments, not 1") }
    let data = try graph.bytes(arguments[0], what)
    var stream = try TorchStream(data)
    var numbers = try stream.numbers(stream.graph.root, in: stream.graph)
    numbers.bytesRead = data.count
    return numbers
  }
}

/// A file or part of one that torch.save wrote in its first format: five pickles, then the numbers.
///
/// Source: PyTorch, `torch/serialization.py`, `_legacy_save`.
struct TorchStream: Storages {
  /// The first pickle: 0x1950a86a20f9469cfc6c, lowest byte first.
  private static let magic = Data([0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19])

  static func isMagic(_ value: PickleValue) -> Bool {
    if case .longInteger(let bytes) = value { bytes == magic } else { false }
  }

  let graph: PickleGraph
  private var storages: [String: StoredNumbers]

  init(_ data: Data) throws(ImportProblem) {
    var position = 0
    func pickle(allowsPersistentIDs: Bool = false) throws(ImportProblem) -> PickleGraph {
      var reader = PickleReader(data, at: position, allowsPersistentIDs: allowsPersistentIDs)
      let graph = try reader.read()
      position = reader.end
      return graph
    }
    guard Self.isMagic(try pickle().root) else { throw ImportProblem("holds numbers that torch.save did not write") }
    guard case .integer(1001) = try pickle().root else {
      throw ImportProblem("holds numbers of an unknown version of torch.save")
    }
    let system = try pickle()
    if let isLittle = try system.members(system.root, "torch.save's description of a machine")["little_endian"] {
      guard try system.bool(isLittle, "the order of bytes") else {
        throw ImportProblem("was written on a big-endian machine")
      }
    }
    let graph = try pickle(allowsPersistentIDs: true)
    let keys = try pickle()
    let references = try Self.references(of: graph)

    var cursor = ByteCursor(data, at: position)
    var storages: [String: StoredNumbers] = [:]
    for value in try keys.sequence(keys.root, "the list of stored numbers") {
      let key = try keys.text(value, "a name of stored numbers")
      guard let reference = references[key], storages[key] == nil else {
        throw ImportProblem("stores numbers \(quoted(key)), which are used nowhere or stored twice")
      }
      let count = try cursor.uint64("a count of stored numbers")
      guard count == UInt64(reference.count) else {
        throw ImportProblem("stores \(count) numbers where \(reference.count) are promised")
      }
      let bytes = try cursor.take(UInt64(reference.byteCount), "stored numbers")
      storages[key] = StoredNumbers(dtype: reference.dtype, bytes: bytes)
    }
    guard cursor.remaining == 0 else { throw ImportProblem("goes on for \(cursor.remaining) bytes after its numbers") }
    self.graph = graph
    self.storages = storages
  }

  /// Every reference to stored numbers, by their names.
  private static func references(of graph: PickleGraph) throws(ImportProblem) -> [String: StorageReference] {
    var references: [String: StorageReference] = [:]
    for case .persistent(let value) in graph.nodes {
      let reference = try StorageReference(value, in: graph)
      guard references.updateValue(reference, forKey: reference.key) ?? reference == reference else {
        throw ImportProblem("stored numbers \(quoted(reference.key)) are described in two ways")
      }
    }
    return references
  }

  mutating func numbers(_ value: PickleValue, in graph: PickleGraph) throws(ImportProblem) -> StoredNumbers {
    guard case .persistent(let reference)? = graph.node(value) else {
      throw graph.unexpected(value, "a tensor's storage", "a reference to stored numbers")
    }
    let key = try StorageReference(reference, in: graph).key
    guard let numbers = storages[key] else { throw ImportProblem("lacks the numbers \(quoted(key))") }
    storages[key]!.bytesRead = 0
    return numbers
  }
}

/// A file that torch.save wrote as a zip archive: `NAME/data.pkl`, and the numbers in `NAME/data/KEY`.
///
/// Source: PyTorch's documentation, "Serialization semantics".
struct TorchArchive: Storages {
  private let archive: ZipArchive
  private let folder: String
  let graph: PickleGraph
  /// What was read: tensors may be views of the same numbers.
  private var known: [StorageReference: StoredNumbers] = [:]

  init(_ archive: ZipArchive) throws(ImportProblem) {
    self.archive = archive
    let pickles = archive.names.filter { $0.hasSuffix("/data.pkl") && $0.count { $0 == "/" } == 1 }
    guard pickles.count == 1 else { throw ImportProblem("is a zip file that torch.save did not write") }
    folder = String(pickles[0].dropLast("data.pkl".count))
    if archive.contains(folder + "byteorder") {
      let order = String(decoding: try Self.read(folder + "byteorder", of: archive), as: UTF8.self)
      guard order == "little" else {
        throw ImportProblem("has numbers in the byte order \(quoted(order))")
      }
    }
    let data = try Self.read(pickles[0], of: archive)
    var reader = PickleReader(data, allowsPersistentIDs: true)
    graph = try reader.read()
    guard reader.end == data.count else { throw ImportProblem("goes on after the end of \(pickles[0])") }
  }

  private static func read(_ name: String, of archive: ZipArchive) throws(ImportProblem) -> Data {
    do throws(FileError) { return try archive.read(name) } catch {
      throw ImportProblem("its entry \(name) \(error.problem)")
    }
  }

  mutating func numbers(_ value: PickleValue, in graph: PickleGraph) throws(ImportProblem) -> StoredNumbers {
    guard case .persistent(let persistent)? = graph.node(value) else {
      throw graph.unexpected(value, "a tensor's storage", "a reference to stored numbers")
    }
    let reference = try StorageReference(persistent, in: graph)
    if let numbers = known[reference] { return numbers }
    let name = folder + "data/" + reference.key
    guard archive.contains(name) else { throw ImportProblem("lacks its entry \(quoted(name))") }
    let bytes = try Self.read(name, of: archive)
    guard bytes.count == reference.byteCount else {
      throw ImportProblem("its entry \(name) has \(bytes.count) bytes, not \(reference.byteCount)")
    }
    let numbers = StoredNumbers(dtype: reference.dtype, bytes: bytes)
    known[reference] = numbers
    known[reference]!.bytesRead = 0
    return numbers
  }
}
