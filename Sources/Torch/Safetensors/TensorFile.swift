import DDNFiles
import Foundation

extension SafetensorsFile {
  /// Writes named tensors and their checksum atomically.
  ///
  /// - Throws: `FileError` when writing fails, `TorchError` when a tensor cannot be copied to the host.
  public static func write(_ tensors: [String: Tensor], metadata: [String: String] = [:], to url: URL) throws {
    let entries = try tensors.sorted { $0.key < $1.key }.map { name, tensor in
      (name: name, dtype: tensor.dtype, shape: tensor.shape, bytes: try tensor.bytes())
    }
    let sum = checksum(entries.map { (name: $0.name, bytes: $0.bytes) })
    try write(entries, metadata: metadata.merging([checksumKey: sum]) { $1 }, to: url)
  }

  /// A copy of one tensor on the CPU.
  ///
  /// - Throws: `FileError` (`invalid`) when the file has no tensor of that name; `TorchError` when memory runs out.
  public func tensor(_ name: String) throws -> Tensor {
    let entry = try entry(name)
    return try withBytes(of: name) { try Tensor(bytes: $0, shape: entry.shape, dtype: entry.dtype) }
  }

  /// Loads all tensors from the file, which must have exactly these names, shapes and types; float16, bfloat16 and
  /// bytes with scales become float32.
  ///
  /// - Parameters:
  ///   - tensors: by name, loaded in place.
  ///   - nameInFile: maps a tensor's name to its name in the file.
  /// - Throws: `FileError` (`invalid`) naming the first mismatched tensor; then no tensor has changed.
  public func load(into tensors: [String: Tensor], nameInFile: (String) -> String = { $0 }) throws {
    try check(fits: tensors, nameInFile: nameInFile)
    try withoutGradients {
      for (name, tensor) in tensors { try tensor.copy(from: dequantizedTensor(nameInFile(name))) }
    }
  }

  /// Checks whether `load` would accept the file.
  ///
  /// - Throws: `FileError` (`invalid`) naming the first mismatched tensor.
  public func check(fits tensors: [String: Tensor], nameInFile: (String) -> String = { $0 }) throws(FileError) {
    func refuse(_ problem: String) -> FileError {
      FileError(
        .invalid, path: url.path, problem: problem, remedy: "use a file that was made with the same configuration")
    }
    var unused = Set(entries.keys)
    for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
      let fileName = nameInFile(name)
      guard let entry = entries[fileName] else { throw refuse("has no tensor named \(quoted(fileName))") }
      let isWidened =
        tensor.dtype == .float32 && ([.float16, .bfloat16].contains(entry.dtype) || isQuantized(fileName))
      guard entry.shape == tensor.shape, entry.dtype == tensor.dtype || isWidened else {
        throw refuse(
          "\(quoted(fileName)) is \(entry.dtype.rawValue) \(entry.shape) and should be \(tensor.dtype.rawValue) \(tensor.shape)"
        )
      }
      unused.remove(fileName)
      if isQuantized(fileName) { unused.remove(Self.scaleName(fileName)) }
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
