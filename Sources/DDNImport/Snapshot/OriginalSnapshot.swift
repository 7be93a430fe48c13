import Archives
import DDN
import DDNFiles
import Foundation
import Torch

/// The content of a file of the original program: weights by their original names, and metadata.
///
/// Reading executes nothing and refuses unknown content by name.
public struct OriginalSnapshot: Sendable {
  public enum Kind: String, Sendable {
    /// `shot-*.pkl`: a pickled network.
    case snapshot = "snapshot"
    /// `training-state-*.pt`: a network and its optimizer, saved by torch.save.
    case trainingState = "training state"
    /// A network's `state_dict()`, saved by torch.save or safetensors.
    case stateDictionary = "state dictionary"
  }

  public let url: URL
  public let kind: Kind
  /// Parameters and buffers by their names in the original's state dictionary.
  public let state: [String: OriginalTensor]
  /// By layer name, such as `model.block_8x8_1.ddo`; empty for a state dictionary.
  public let statistics: [String: NodeStatistics]
  /// The original's option `--condition`; nil for an unconditional network and for a state dictionary.
  public let condition: String?
  /// The previous image of the first level; nil for zeros and for a state dictionary.
  public let initialImage: InitialImage?
  /// The member that holds the state dictionary, such as "state_dict"; nil for the file itself.
  public let wrapper: String?
  /// Sorted names of members that are not imported.
  public let leftOut: [String]

  /// Reads a `.pkl`, `.pt` or `.safetensors` file; the content determines the format.
  ///
  /// - Throws: `FileError`: `missing` or `failed` when it cannot be read; `invalid` for unknown content, a truncated or
  ///   damaged file, or weights that are not finite.
  public init(contentsOf url: URL) throws(FileError) {
    let data = try InputFile.map(url)
    if let problem = ForeignFile.problem(data) { throw problem.fileError(url.path) }
    let safetensors = ForeignFile.isSafetensors(data) ? try SafetensorsFile(contentsOf: url) : nil
    let archive = data.starts(with: [0x50, 0x4B]) ? try ZipArchive(contentsOf: url) : nil
    self.url = url
    do throws(ImportError) {
      let content = if let safetensors { try Content(safetensors) } else { try Content(data, archive: archive) }
      (kind, state, statistics) = (content.kind, content.state, content.statistics)
      (condition, initialImage) = (content.condition, content.initialImage)
      (wrapper, leftOut) = (content.wrapper, content.leftOut)
    } catch {
      throw error.fileError(url.path)
    }
  }

  /// Training images by the layers' counters, which cover one device of several; nil for a state dictionary.
  public var imagesOfCounters: Int? { statistics.values.map(\.images).max() }

  /// Training images by the file's name, `shot-001000.pkl` for a million; nil for other names.
  public var imagesOfName: Int? {
    url.lastPathComponent.wholeMatch(of: /(?:shot|training-state)-([0-9]{1,12})\.(?:pkl|pt)/).map { Int($0.1)! * 1000 }
  }

  /// Training images: the larger of name and counters, because counters may cover one of several devices and names are
  /// rounded down to thousands; nil if unknown.
  public var images: Int? { [imagesOfName, imagesOfCounters].compactMap(\.self).max() }
}
