import DDNFiles
import Torch

/// Takes a network's weights from a state dictionary; missing, misshapen and leftover tensors are errors.
struct WeightReader {
  private let dictionary: StateDictionary
  /// As in "needs by NETWORK".
  private let network: String
  private let remedy: String
  private let device: Device
  private var taken: Set<String> = []

  /// - Parameters:
  ///   - dictionary: of the network.
  ///   - network: its name, for error messages.
  ///   - remedy: how to get the right file, without a full stop.
  ///   - device: of the tensors.
  init(_ dictionary: StateDictionary, network: String, remedy: String, device: Device) {
    self.dictionary = dictionary
    self.network = network
    self.remedy = remedy
    self.device = device
  }

  func contains(_ name: String) -> Bool { dictionary.shape(name) != nil }

  /// The shape of a tensor.
  ///
  /// - Throws: `FileError` when there is none of this name, or of another rank.
  func shape(_ name: String, rank: Int) throws(FileError) -> [Int] {
    guard let shape = dictionary.shape(name) else {
      throw error("has no tensor \(quoted(name)), which \(network) needs")
    }
    guard shape.count == rank else { throw error("\(quoted(name)) is \(shape), not of \(rank) dimensions") }
    return shape
  }

  /// A float32 tensor on the network's device.
  ///
  /// - Parameters:
  ///   - name: in the dictionary.
  ///   - shape: as expected; nil allows any size.
  /// - Throws: `FileError` when it is missing, has another shape, or values that are not finite.
  mutating func tensor(_ name: String, _ shape: [Int?]) throws -> Tensor {
    let found = try self.shape(name, rank: shape.count)
    guard zip(found, shape).allSatisfy({ $1 == nil || $0 == $1 }) else {
      let expected = shape.map { $0.map(String.init) ?? "any" }.joined(separator: ", ")
      throw error("\(quoted(name)) is \(found), and \(network) needs [\(expected)]")
    }
    taken.insert(name)
    let tensor = try dictionary.tensor(name).to(.float32)
    guard try tensor.allFinite() else { throw error("\(quoted(name)) has values that are not finite") }
    return try tensor.to(device)
  }

  /// Checks that no tensors are left over.
  ///
  /// - Parameter isUnused: whether a tensor is known and not needed; batch norms' counters never are.
  /// - Throws: `FileError` naming the first one.
  func finish(ignoring isUnused: (String) -> Bool = { _ in false }) throws(FileError) {
    let left = dictionary.names.filter {
      !taken.contains($0) && !$0.hasSuffix("num_batches_tracked") && !isUnused($0)
    }
    if let name = left.min() { throw error("has a tensor \(quoted(name)), which \(network) lacks") }
  }

  func error(_ problem: String) -> FileError {
    FileError(.invalid, path: dictionary.url.path, problem: problem, remedy: remedy)
  }
}
