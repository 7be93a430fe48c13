import Archives
import DDN
import DDNFiles
import Foundation

extension CodeList {
  /// Reads codes that the original program saved: `ddn_latents_l*_n*.pt`, a tensor of an image in each row and a level in
  /// each column. Columns beyond the network's levels are left out: the original fills 2,000.
  ///
  /// Reading executes nothing and refuses unknown content by name.
  ///
  /// - Parameters:
  ///   - url: of the file.
  ///   - space: of the network.
  /// - Throws: `FileError`: `missing` or `failed` when it cannot be read; `invalid` when it is not such a file, or its codes
  ///   do not fit the network.
  public init(original url: URL, in space: CodeSpace) throws(FileError) {
    let data = try InputFile.map(url)
    if let problem = ForeignFile.problem(data) { throw problem.fileError(url.path) }
    let archive = data.starts(with: [0x50, 0x4B]) ? try ZipArchive(contentsOf: url) : nil
    let remedy = "give a file of codes: .ddn, codes.txt, or ddn_latents_*.pt of the original"
    let tensor: OriginalTensor
    do throws(ImportError) {
      let (graph, storages) = try Content.graph(data, archive: archive)
      var reader = TensorReader(graph, storages: storages, fileBytes: data.count)
      tensor = try reader.tensor(graph.root, "its content")
    } catch {
      throw FileError(.invalid, path: url.path, problem: error.fileError(url.path).problem, remedy: remedy)
    }
    guard let choices = tensor.integers, tensor.shape.count == 2 else {
      throw FileError(
        .invalid, path: url.path, problem: "is a tensor of \(tensor.dtype.rawValue), \(tensor.shape)", remedy: remedy)
    }
    let (columns, count) = (tensor.shape[1], space.levels.count)
    guard columns >= count else {
      throw FileError(
        .invalid, path: url.path, problem: "has codes of \(columns) choices, and the model's have \(count)",
        remedy: "give the model that drew them, with --network")
    }
    var entries: [Entry] = []
    for row in 0..<tensor.shape[0] {
      do throws(LatentCodeError) {
        let code = try LatentCode(Array(choices[row * columns..<row * columns + count]), in: space)
        entries.append(Entry(code: code))
      } catch {
        throw FileError(
          .invalid, path: url.path, problem: "row \(row): \(error)",
          remedy: "give the model that drew them, with --network")
      }
    }
    self.init(entries)
  }
}

extension OriginalTensor {
  /// The elements of a tensor of integers; nil for other tensors.
  fileprivate var integers: [Int]? {
    func all<Element: FixedWidthInteger & BitwiseCopyable>(_ type: Element.Type) -> [Int] {
      bytes.withUnsafeBytes { buffer in
        stride(from: 0, to: buffer.count, by: MemoryLayout<Element>.size).map {
          Int(Element(littleEndian: buffer.loadUnaligned(fromByteOffset: $0, as: type)))
        }
      }
    }
    return switch dtype {
    case .uint8: all(UInt8.self)
    case .int8: all(Int8.self)
    case .int16: all(Int16.self)
    case .int32: all(Int32.self)
    case .int64: all(Int64.self)
    default: nil
    }
  }
}
