import Archives
import DDNFiles
import DDNImport
import Foundation
import Torch

/// A network's weights by name: a state dictionary of PyTorch.
public struct StateDictionary {
  private enum Source {
    case safetensors(SafetensorsFile)
    case pickled([String: OriginalTensor])
    case memory([String: Tensor])
  }

  /// Of the file, for error messages.
  public let url: URL
  private let source: Source
  /// Each tensor's name in the file.
  private let nameInFile: [String: String]

  /// Reads a file of `torch.save` or safetensors; the content determines the format.
  ///
  /// A dictionary may be wrapped, as in `{"state_dict": ...}`, and its names may begin with DataParallel's `module.`.
  /// Pickles are interpreted, never executed.
  ///
  /// - Parameter url: of the file.
  /// - Throws: `FileError`: `missing` or `failed` when it cannot be read; `invalid` for other content or a damaged file.
  public init(contentsOf url: URL) throws(FileError) {
    let names: [String]
    if try ForeignFile.isSafetensors(InputFile.map(url)) {
      let file = try SafetensorsFile(contentsOf: url)
      (source, names) = (.safetensors(file), Array(file.entries.keys))
    } else {
      let state = try OriginalTensor.stateDictionary(contentsOf: url)
      (source, names) = (.pickled(state), Array(state.keys))
    }
    self.url = url
    let prefix = "module."
    let isWrapped = names.allSatisfy { $0.hasPrefix(prefix) }
    nameInFile = names.reduce(into: [:]) { $0[isWrapped ? String($1.dropFirst(prefix.count)) : $1] = $1 }
  }

  /// Weights in memory.
  ///
  /// - Parameters:
  ///   - tensors: by name.
  ///   - url: of the file that errors name.
  public init(_ tensors: [String: Tensor], url: URL) {
    self.url = url
    source = .memory(tensors)
    nameInFile = Dictionary(uniqueKeysWithValues: tensors.keys.map { ($0, $0) })
  }

  private init(_ other: StateDictionary, nameInFile: [String: String]) {
    (url, source) = (other.url, other.source)
    self.nameInFile = nameInFile
  }

  /// The tensors' names.
  public var names: some Collection<String> { nameInFile.keys }

  /// The dictionary under other names; it lacks the tensors that get none.
  ///
  /// - Parameter rename: nil leaves a tensor out.
  func renamed(_ rename: (String) -> String?) -> StateDictionary {
    StateDictionary(
      self,
      nameInFile: nameInFile.reduce(into: [:]) { names, entry in
        if let name = rename(entry.key) { names[name] = entry.value }
      })
  }

  /// The shape of a tensor; nil if there is none of this name.
  func shape(_ name: String) -> [Int]? {
    guard let name = nameInFile[name] else { return nil }
    return switch source {
    case .safetensors(let file): file.entries[name]!.shape
    case .pickled(let tensors): tensors[name]!.shape
    case .memory(let tensors): tensors[name]!.shape
    }
  }

  /// A tensor of the dictionary, in the file's type.
  func tensor(_ name: String) throws -> Tensor {
    let name = nameInFile[name]!
    return switch source {
    case .safetensors(let file): try file.tensor(name)
    case .pickled(let tensors): try tensors[name]!.tensor()
    case .memory(let tensors): tensors[name]!
    }
  }

  /// CRC-32 of tensors by name, in eight hexadecimal digits; the file's format does not count.
  ///
  /// - Parameter isIncluded: whether a tensor counts.
  func checksum(_ isIncluded: (String) -> Bool) throws -> String {
    var sums = Data()
    for name in names.filter(isIncluded).sorted() {
      let tensor = try self.tensor(name).to(.float32)
      sums += Data("\(name) \(tensor.shape) \(Checksum.crc32(try tensor.bytes()))\n".utf8)
    }
    let digits = String(Checksum.crc32(sums), radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}
