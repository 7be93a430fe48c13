import Archives
import DDNFiles
import Foundation
import GoldenSupport
import Torch

/// A state dictionary in both formats of torch.save, which tests may corrupt.
struct SavedState {
  struct Entry {
    var name: String
    var shape: [Int]
    var strides: [Int]
    var offset = 0
    var type = "FloatStorage"
    /// The element count in the pickle.
    var count: Int
    var bytes: Data

    init(_ name: String, _ shape: [Int], _ bytes: Data) {
      (self.name, self.shape, self.bytes) = (name, shape, bytes)
      count = bytes.count / 4
      strides = shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
    }

    /// The pickled tensor, with its storage named `key`.
    func pickled(key: String, isLegacy: Bool) -> Pickled {
      let reference: [Pickled] = [.text("storage"), .global("torch \(type)"), .text(key), .text("cpu"), .int(count)]
      return .call(
        "torch._utils _rebuild_tensor_v2",
        [
          .persistent(.tuple(reference + (isLegacy ? [.none] : []))), .int(offset), .tuple(shape.map { .int($0) }),
          .tuple(strides.map { .int($0) }), .bool(false), .call("collections OrderedDict", []),
        ])
    }
  }

  var entries: [Entry]

  init(_ entries: [Entry]) { self.entries = entries }

  /// The tensors of a golden file whose names have a prefix, which is removed.
  init(golden path: String, prefix: String = "") throws {
    let file = try Golden.safetensors(path)
    entries = try file.entries.sorted { $0.key < $1.key }.filter { $0.key.hasPrefix(prefix) }.map { name, entry in
      Entry(String(name.dropFirst(prefix.count)), entry.shape, try file.withBytes(of: name) { Data($0) })
    }
  }

  func renamed(_ rename: (String) -> String) -> SavedState {
    var renamed = self
    for place in entries.indices { renamed.entries[place].name = rename(entries[place].name) }
    return renamed
  }

  /// The pickled tensors of the zip format by name.
  var members: [(Pickled, Pickled)] {
    entries.enumerated().map { (.text($1.name), $1.pickled(key: "\($0)", isLegacy: false)) }
  }

  /// The OrderedDict of `state_dict()`, with its module versions as state.
  private func dictionary(isLegacy: Bool) -> Pickled {
    let pairs = entries.enumerated().map { place, entry in
      (Pickled.text(entry.name), entry.pickled(key: "\(place)", isLegacy: isLegacy))
    }
    return .built(
      .items(.call("collections OrderedDict", []), pairs),
      state: .members(["_metadata": .call("collections OrderedDict", [])]))
  }

  /// The zip format, since PyTorch 1.6.
  func archive(pickle: Data? = nil) throws -> Data {
    let url = FileManager.default.temporaryDirectory.appending(path: "saved-\(UUID().uuidString).zip")
    defer { try? FileManager.default.removeItem(at: url) }
    try AtomicFile.write(to: url) { (file) throws(FileError) in
      var zip = ZipWriter(file)
      try zip.add("net/data.pkl", pickle ?? dictionary(isLegacy: false).pickle())
      try zip.add("net/byteorder", Data("little".utf8))
      for (place, entry) in entries.enumerated() { try zip.add("net/data/\(place)", entry.bytes) }
      try zip.add("net/version", Data("3\n".utf8))
      try zip.finish()
    }
    return try Data(contentsOf: url)
  }

  /// The legacy format: five pickles, then the storages.
  func stream() -> Data {
    var data = Pickled.raw([0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]).pickle()
    data += Pickled.int(1001).pickle()
    data += Pickled.members(["protocol_version": .int(1001), "little_endian": .bool(true)]).pickle()
    data += dictionary(isLegacy: true).pickle()
    data += Pickled.list(entries.indices.map { .text("\($0)") }).pickle()
    for entry in entries { data += Data(Pickled.bytes(entry.count)) + entry.bytes }
    return data
  }
}

/// A temporary folder, removed at the end of the test.
final class Scratch {
  let url = FileManager.default.temporaryDirectory.appending(path: "import-\(UUID().uuidString)")
  init() throws { try Folder.create(url) }
  deinit { try? FileManager.default.removeItem(at: url) }

  func file(_ name: String, _ bytes: Data) throws -> URL {
    let file = url.appending(path: name)
    try bytes.write(to: file)
    return file
  }
}

/// CPU seconds of this thread, independent of other load.
func threadSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
