import DDN
import DDNData
import DDNFiles
import Foundation

/// What a file of the original program holds: weights by the original's names, and what else it says.
///
/// The file is read by a reader that knows exactly what such files consist of and runs nothing; anything else in it is
/// refused by name.
public struct OriginalSnapshot: Sendable {
  public enum Kind: String, Sendable {
    /// `shot-*.pkl`: a whole network, pickled.
    case snapshot = "snapshot"
    /// `training-state-*.pt`: a whole network and its optimizer, written by torch.save.
    case trainingState = "training state"
    /// What torch.save wrote of a network's `state_dict()`: names and tensors, nothing more.
    case stateDictionary = "state dictionary"
  }

  public let url: URL
  public let kind: Kind
  /// Parameters and buffers by the names of the original's state dictionary.
  public let state: [String: OriginalTensor]
  /// How the nodes of each layer were used, by the layer's name, such as `model.block_8x8_1.ddo`; a state dictionary has
  /// none.
  public let statistics: [String: NodeStatistics]
  /// Adam's moments by parameter; only a training state has them.
  public let moments: [String: OriginalMoments]
  /// What the network is told, in the words of the original's option `--condition`; nil for nothing, or when the file does not say.
  public let condition: String?

  /// Reads a `.pkl` or `.pt` file; its content says which it is.
  ///
  /// - Throws: `FileError`: `missing` or `failed` when it cannot be read, `invalid` with what was found when it holds
  ///   anything but what such a file of the original has, is cut off or damaged, or has numbers that are infinite or none.
  public init(contentsOf url: URL) throws(FileError) {
    let data = try InputFile.map(url)
    let archive = data.starts(with: [0x50, 0x4B]) ? try ZipArchive(contentsOf: url) : nil
    self.url = url
    do throws(ImportProblem) {
      let content = try Content(data, archive: archive)
      (kind, state, statistics) = (content.kind, content.state, content.statistics)
      (moments, condition) = (content.moments, content.condition)
    } catch {
      throw error.fileError(url.path)
    }
  }

  /// Images that the network saw in training: from the name that the original gives its files, `shot-001000.pkl` for a
  /// million, or else from the layers' counters, which a run on several devices keeps on one of them; nil when neither says.
  public var images: Int? {
    if let name = url.lastPathComponent.wholeMatch(of: /(?:shot|training-state)-([0-9]{1,12})\.(?:pkl|pt)/) {
      return Int(name.1)! * 1000
    }
    return statistics.values.map(\.images).max()
  }
}

/// What is read before anybody knows the file's name.
struct Content {
  let kind: OriginalSnapshot.Kind
  let state: [String: OriginalTensor]
  var statistics: [String: NodeStatistics] = [:]
  var moments: [String: OriginalMoments] = [:]
  var condition: String?

  /// - Parameter archive: the file as a zip archive, if it is one.
  init(_ data: Data, archive: ZipArchive?) throws(ImportProblem) {
    let graph: PickleGraph
    let storages: any Storages
    if let archive {
      let file = try TorchArchive(archive)
      (graph, storages) = (file.graph, file)
    } else {
      var reader = PickleReader(data, allowsPersistentIDs: false)
      let first = try reader.read()
      if TorchStream.isMagic(first.root) {
        let stream = try TorchStream(data)
        (graph, storages) = (stream.graph, stream)
      } else {
        guard reader.end == data.count else {
          throw ImportProblem("goes on for \(data.count - reader.end) bytes after its end")
        }
        (graph, storages) = (first, EmbeddedStorages())
      }
    }
    var tensors = TensorReader(graph, storages: storages, fileBytes: data.count)

    let members = try graph.members(graph.root, "its content")
    if let network = members["ema"] ?? members["net"] {
      kind = members["ema"] != nil ? .snapshot : .trainingState
      var modules = ModuleReader(tensors)
      try modules.read(network)
      (state, statistics, condition) = (modules.state, modules.statistics, modules.condition)
      if let optimizer = members["optimizer_state"] {
        moments = try tensors.moments(optimizer, names: modules.parameterNames, state: state)
      }
    } else {
      kind = .stateDictionary
      var found: [String: OriginalTensor] = [:]
      for (name, value) in members.sorted(by: { $0.key < $1.key }) {
        found[name] = try tensors.tensor(value, quoted(name))
      }
      state = found
    }
    for (name, tensor) in state.sorted(by: { $0.key < $1.key }) where !tensor.isFinite {
      throw ImportProblem("\(quoted(name)) has a number that is infinite or none")
    }
  }
}
