import DDNFiles
import Foundation

extension SafetensorsFile {
  /// Writes named tensors and their checksum, whole or not at all.
  ///
  /// - Throws: `FileError` when the disk refuses, `TorchError` when a tensor cannot be copied to the host.
  public static func write(_ tensors: [String: Tensor], metadata: [String: String] = [:], to url: URL) throws {
    let entries = try tensors.sorted { $0.key < $1.key }.map { name, tensor in
      (name: name, dtype: tensor.dtype, shape: tensor.shape, bytes: try tensor.bytes())
    }
    let sum = checksum(entries.map { (name: $0.name, bytes: $0.bytes) })
    try write(entries, metadata: metadata.merging([checksumKey: sum]) { $1 }, to: url)
  }

  /// A copy of one tensor on the CPU.
  ///
  /// - Throws: `FileError` (`invalid`) when the file has no tensor of that name; `TorchError` when memory is short.
  public func tensor(_ name: String) throws -> Tensor {
    let entry = try entry(name)
    return try withBytes(of: name) { try Tensor(bytes: $0, shape: entry.shape, dtype: entry.dtype) }
  }

  /// Fills tensors from the file: every one of them, each of the same shape and type, and nothing left over.
  ///
  /// - Parameter nameInFile: what a tensor is called in the file.
  /// - Throws: `FileError` (`invalid`) naming the first tensor that does not fit; then nothing was changed.
  public func load(into tensors: [String: Tensor], nameInFile: (String) -> String = { $0 }) throws {
    try check(fits: tensors, nameInFile: nameInFile)
    try withoutGradients {
      for (name, tensor) in tensors { try tensor.copy(from: self.tensor(nameInFile(name))) }
    }
  }

  /// Looks whether `load` would take these tensors.
  ///
  /// - Throws: `FileError` (`invalid`) naming the first tensor that does not fit.
  public func check(fits tensors: [String: Tensor], nameInFile: (String) -> String = { $0 }) throws(FileError) {
    func refuse(_ problem: String) -> FileError {
      FileError(
        .invalid, path: url.path, problem: problem, remedy: "use a file that was made with the same configuration")
    }
    var unused = Set(entries.keys)
    for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
      let fileName = nameInFile(name)
      guard let entry = entries[fileName] else { throw refuse("has no tensor named \(quoted(fileName))") }
      guard entry.shape == tensor.shape, entry.dtype == tensor.dtype else {
        throw refuse(
          "\(quoted(fileName)) is \(entry.dtype.rawValue) \(entry.shape) and should be \(tensor.dtype.rawValue) \(tensor.shape)"
        )
      }
      unused.remove(fileName)
    }
    if let extra = unused.sorted().first { throw refuse("has a tensor named \(quoted(extra)) that this network lacks") }
  }
}

extension Module {
  /// All parameters' tensors by name, frozen ones included.
  public func state() -> [String: Tensor] {
    Dictionary(uniqueKeysWithValues: namedParameters().map { ($0.name, $0.parameter.tensor) })
  }
}
