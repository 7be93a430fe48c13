import Archives
import DDN
import DDNFiles
import Foundation
import Torch

/// A snapshot's content, independent of its path.
struct Content {
  let kind: OriginalSnapshot.Kind
  let state: [String: OriginalTensor]
  var statistics: [String: NodeStatistics] = [:]
  var condition: String?
  var initialImage: InitialImage?
  var wrapper: String?
  var leftOut: [String] = []

  /// - Parameter archive: the file as a zip archive, if it is one.
  init(_ data: Data, archive: ZipArchive?) throws(ImportError) {
    let (graph, storages) = try Self.graph(data, archive: archive)
    var tensors = TensorReader(graph, storages: storages, fileBytes: data.count)
    if case .opaque(let name)? = graph.node(graph.root) { throw Self.wholeModule(name) }
    let members = try graph.members(graph.root, "its content")

    if let (key, network) = Self.network(of: members, in: graph) {
      if case .opaque(let name)? = graph.node(network) { throw Self.wholeModule(name) }
      kind = key == "ema" ? .snapshot : .trainingState
      var modules = ModuleReader(tensors)
      try modules.read(network)
      (state, statistics, condition) = (modules.state, modules.statistics, modules.condition)
      initialImage = modules.initialImage
      if members["optimizer_state"] != nil { leftOut = ["optimizer_state"] }
    } else {
      kind = .stateDictionary
      wrapper = try Self.wrapper(of: members, in: graph)
      let parts = try wrapper.map { (key) throws(ImportError) in try graph.members(members[key]!, quoted(key)) }
      if let wrapper { leftOut = members.keys.filter { $0 != wrapper }.sorted() }
      var found: [String: OriginalTensor] = [:]
      for (name, value) in (parts ?? members).sorted(by: { $0.key < $1.key }) {
        if case .opaque(let object)? = graph.node(value) { throw Self.wholeModule(object) }
        found[name] = try tensors.tensor(value, quoted(name))
      }
      state = OriginalNames.unwrapped(found)
    }
    try checkFinite()
  }

  /// A state dictionary saved as safetensors.
  init(_ file: SafetensorsFile) throws(ImportError) {
    guard !file.isOf(Model.fileKind) else {
      throw ImportError("is already a model of this program", remedy: "use it directly: --network FILE")
    }
    kind = .stateDictionary
    state = OriginalNames.unwrapped(
      file.entries.reduce(into: [:]) { state, entry in
        let bytes = try! file.withBytes(of: entry.key) { Data($0) }  // The name is from the file.
        state[entry.key] = OriginalTensor(dtype: entry.value.dtype, shape: entry.value.shape, bytes: bytes)
      })
    try checkFinite()
  }

  static func graph(
    _ data: Data, archive: ZipArchive?
  ) throws(ImportError) -> (PickleGraph, any Storages) {
    if let archive {
      let file = try TorchArchive(archive)
      return (file.graph, file)
    }
    var reader = PickleReader(data, allowsPersistentIDs: false)
    let first = try reader.read()
    if TorchStream.isMagic(first.root) {
      let stream = try TorchStream(data)
      return (stream.graph, stream)
    }
    guard reader.end == data.count else {
      throw ImportError("has \(data.count - reader.end) bytes after its end")
    }
    return (first, EmbeddedStorages())
  }

  /// The member that holds a pickled network; nil if it is a dictionary of tensors.
  private static func network(
    of members: [String: PickleValue], in graph: PickleGraph
  ) -> (key: String, value: PickleValue)? {
    for key in ["ema", "net"] {
      guard let value = members[key] else { continue }
      return isNonemptyDictionary(value, graph) ? nil : (key, value)
    }
    return nil
  }

  /// Common keys of state dictionaries; averaged weights first, because the original generates with them.
  private static let wrappers = [
    "ema", "ema_state_dict", "model_ema", "state_dict", "model_state_dict", "model", "net", "network", "params",
  ]

  private static func wrapper(
    of members: [String: PickleValue], in graph: PickleGraph
  ) throws(ImportError) -> String? {
    wrappers.first { key in members[key].map { isNonemptyDictionary($0, graph) } ?? false }
  }

  private static func isNonemptyDictionary(_ value: PickleValue, _ graph: PickleGraph) -> Bool {
    (try? graph.pairs(value, "").isEmpty) == false
  }

  private static func wholeModule(_ name: String) -> ImportError {
    ImportError(
      "holds an object of \(quoted(name)), not its weights",
      remedy: "load it in Python and save its weights: torch.save(network.state_dict(), FILE)")
  }

  private func checkFinite() throws(ImportError) {
    for (name, tensor) in state.sorted(by: { $0.key < $1.key }) where !tensor.isFinite {
      throw ImportError("\(quoted(name)) has values that are not finite")
    }
  }
}
