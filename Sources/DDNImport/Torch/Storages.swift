import Archives
import DDNFiles
import Foundation
import Torch

/// A tensor storage: flat and little-endian.
struct TensorStorage {
  let dtype: DType
  let bytes: Data
  /// Bytes of the file that this access read; 0 for a storage that was read before.
  var bytesRead: Int

  init(dtype: DType, bytes: Data) {
    (self.dtype, self.bytes, bytesRead) = (dtype, bytes, bytes.count)
  }
}

/// The storages of a file's tensors.
protocol Storages {
  /// - Parameter value: the first argument of `_rebuild_tensor_v2`.
  mutating func storage(_ value: PickleValue, in graph: PickleGraph) throws(ImportError) -> TensorStorage
}

/// The storages of a snapshot: each is a torch.save stream within the pickle.
struct EmbeddedStorages: Storages {
  func storage(_ value: PickleValue, in graph: PickleGraph) throws(ImportError) -> TensorStorage {
    let what = "a tensor's storage"
    let call = try graph.object(value, .loadFromBytes, what)
    let arguments = try graph.tuple(call.arguments, what)
    guard arguments.count == 1 else { throw ImportError("\(what) has \(arguments.count) arguments, not 1") }
    let data = try graph.bytes(arguments[0], what)
    var stream = try TorchStream(data)
    var storage = try stream.storage(stream.graph.root, in: stream.graph)
    storage.bytesRead = data.count
    return storage
  }
}

/// torch.save's legacy format: five pickles, then the storages.
///
/// Source: PyTorch, `torch/serialization.py`, `_legacy_save`.
struct TorchStream: Storages {
  /// The first pickle: 0x1950a86a20f9469cfc6c, little-endian.
  private static let magic = Data([0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19])

  static func isMagic(_ value: PickleValue) -> Bool {
    if case .longInteger(let bytes) = value { bytes == magic } else { false }
  }

  let graph: PickleGraph
  private var storages: [String: TensorStorage]

  init(_ data: Data) throws(ImportError) {
    var position = 0
    func pickle(allowsPersistentIDs: Bool = false) throws(ImportError) -> PickleGraph {
      var reader = PickleReader(data, at: position, allowsPersistentIDs: allowsPersistentIDs)
      let graph = try reader.read()
      position = reader.end
      return graph
    }
    guard Self.isMagic(try pickle().root) else { throw ImportError("has storages without torch.save's magic number") }
    guard case .integer(1001) = try pickle().root else {
      throw ImportError("has storages of an unknown version of torch.save")
    }
    let system = try pickle()
    if let isLittle = try system.members(system.root, "torch.save's system information")["little_endian"] {
      guard try system.bool(isLittle, "little_endian") else { throw ImportError("has big-endian storages") }
    }
    let graph = try pickle(allowsPersistentIDs: true)
    let keys = try pickle()
    let references = try Self.references(of: graph)

    var cursor = ByteCursor(data, at: position)
    var storages: [String: TensorStorage] = [:]
    for value in try keys.sequence(keys.root, "the list of storages") {
      let key = try keys.text(value, "a storage's key")
      guard let reference = references[key], storages[key] == nil else {
        throw ImportError("has the storage \(quoted(key)), which is unused or a duplicate")
      }
      let count = try cursor.uint64("a storage's count")
      guard count == UInt64(reference.count) else {
        throw ImportError("has a storage of \(count) elements, not \(reference.count) as declared")
      }
      let bytes = try cursor.take(UInt64(reference.byteCount), "a storage")
      storages[key] = TensorStorage(dtype: reference.dtype, bytes: bytes)
    }
    guard cursor.remaining == 0 else { throw ImportError("has \(cursor.remaining) bytes after its storages") }
    self.graph = graph
    self.storages = storages
  }

  /// All references to storages, by key.
  private static func references(of graph: PickleGraph) throws(ImportError) -> [String: StorageReference] {
    var references: [String: StorageReference] = [:]
    for case .persistent(let value) in graph.nodes {
      let reference = try StorageReference(value, in: graph)
      guard references.updateValue(reference, forKey: reference.key) ?? reference == reference else {
        throw ImportError("has different references to the storage \(quoted(reference.key))")
      }
    }
    return references
  }

  mutating func storage(_ value: PickleValue, in graph: PickleGraph) throws(ImportError) -> TensorStorage {
    guard case .persistent(let reference)? = graph.node(value) else {
      throw graph.unexpected(value, "a tensor's storage", "a reference to a storage")
    }
    let key = try StorageReference(reference, in: graph).key
    guard let storage = storages[key] else { throw ImportError("has no storage \(quoted(key))") }
    storages[key]!.bytesRead = 0
    return storage
  }
}

/// torch.save's zip format: `NAME/data.pkl`, and storages in `NAME/data/KEY`.
///
/// Source: PyTorch's documentation, "Serialization semantics".
struct TorchArchive: Storages {
  private let archive: ZipArchive
  private let folder: String
  let graph: PickleGraph
  /// Storages that were read; tensors may share them.
  private var cache: [StorageReference: TensorStorage] = [:]

  init(_ archive: ZipArchive) throws(ImportError) {
    self.archive = archive
    let pickles = archive.names.filter { $0.hasSuffix("/data.pkl") && $0.count { $0 == "/" } == 1 }
    guard pickles.count == 1 else { throw ImportError("is a zip file, but not torch.save's") }
    folder = String(pickles[0].dropLast("data.pkl".count))
    if archive.contains(folder + "byteorder") {
      let order = String(decoding: try Self.read(folder + "byteorder", of: archive), as: UTF8.self)
      guard order == "little" else {
        throw ImportError("has storages in the byte order \(quoted(order))")
      }
    }
    let data = try Self.read(pickles[0], of: archive)
    var reader = PickleReader(data, allowsPersistentIDs: true)
    graph = try reader.read()
    guard reader.end == data.count else { throw ImportError("has bytes after the pickle in \(pickles[0])") }
  }

  private static func read(_ name: String, of archive: ZipArchive) throws(ImportError) -> Data {
    do throws(FileError) { return try archive.read(name) } catch {
      throw ImportError("its entry \(name) \(error.problem)")
    }
  }

  mutating func storage(_ value: PickleValue, in graph: PickleGraph) throws(ImportError) -> TensorStorage {
    guard case .persistent(let persistent)? = graph.node(value) else {
      throw graph.unexpected(value, "a tensor's storage", "a reference to a storage")
    }
    let reference = try StorageReference(persistent, in: graph)
    if let storage = cache[reference] { return storage }
    let name = folder + "data/" + reference.key
    guard archive.contains(name) else { throw ImportError("has no entry \(quoted(name))") }
    let bytes = try Self.read(name, of: archive)
    guard bytes.count == reference.byteCount else {
      throw ImportError("its entry \(name) has \(bytes.count) bytes, not \(reference.byteCount)")
    }
    let storage = TensorStorage(dtype: reference.dtype, bytes: bytes)
    cache[reference] = storage
    cache[reference]!.bytesRead = 0
    return storage
  }
}
