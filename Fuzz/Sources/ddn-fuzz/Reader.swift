import Archives
import DDN
import DDNCodes
import DDNFiles
import Foundation
import Torch

@testable import DDNData
@testable import DDNImport

/// A reader of untrusted files, which must read or refuse them: traps, hangs and unbounded memory are bugs.
enum Reader: String, CaseIterable {
  /// A single pickle.
  case pickle
  /// A file for `ddn import`: a snapshot, either format of torch.save, or safetensors.
  case snapshot
  case safetensors
  case idx
  case zip
  /// A file for `ddn decode`: .ddn, with and without a prior, codes.txt, or the original's.
  case codes

  func read(_ data: Data) {
    do {
      switch self {
      case .pickle:
        var reader = PickleReader(data, allowsPersistentIDs: true)
        _ = try reader.read()
      case .snapshot:
        guard ForeignFile.problem(data) == nil else { return }
        if ForeignFile.isSafetensors(data) {
          _ = try Content(SafetensorsFile(contentsOf: MemoryFile.shared.holding(data)))
          return
        }
        let isArchive = data.starts(with: [0x50, 0x4B])
        let content = try Content(data, archive: isArchive ? ZipArchive(data, url: Self.nowhere) : nil)
        _ = try NetworkConfiguration(original: content.state, .init())
      case .safetensors:
        let file = try SafetensorsFile(contentsOf: MemoryFile.shared.holding(data))
        try file.verifyChecksum()
        for name in file.entries.keys { _ = try file.withBytes(of: name) { $0.count } }
      case .idx:
        let url = MemoryFile.shared.holding(data)
        for content in [IdxFile.Content.images, .labels] { _ = try? IdxFile(contentsOf: url, content: content) }
      case .zip:
        let archive = try ZipArchive(data, url: Self.nowhere)
        for name in archive.names { _ = try? archive.read(name) }
      case .codes:
        FuzzedCodes.read(data)
        _ = try? CodeList(original: MemoryFile.shared.holding(data), in: FuzzedCodes.space)
        _ = try? CodeList(
          lines: String(decoding: data, as: UTF8.self), path: "lines", in: FuzzedCodes.space, classes: 10)
      }
    } catch is FileError, is ImportError {
      return
    } catch {
      fatalError("unexpected error: \(error)")
    }
  }

  private static let nowhere = URL(filePath: "/nowhere")
}
