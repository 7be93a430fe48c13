import Archives
import DDN
import DDNFiles
import Foundation
import Torch

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
    /// What torch.save or safetensors wrote of a network's `state_dict()`: names and tensors, nothing more.
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
  /// What the first level reads as the previous image, nil for zeros; a state dictionary does not say.
  public let initialImage: InitialImage?
  /// The key of the dictionary that the state dictionary was found in, such as "state_dict"; nil for the file itself.
  public let wrapper: String?
  /// The other members of a file, which were not imported, in alphabetical order.
  public let leftOut: [String]

  /// Reads a `.pkl`, `.pt` or `.safetensors` file; its content says which it is.
  ///
  /// - Throws: `FileError`: `missing` or `failed` when it cannot be read, `invalid` with what was found when it holds
  ///   anything but what such a file of the original has, is cut off or damaged, or has numbers that are infinite or none.
  public init(contentsOf url: URL) throws(FileError) {
    let data = try InputFile.map(url)
    if let problem = ForeignFile.problem(data) { throw problem.fileError(url.path) }
    let safetensors = ForeignFile.isSafetensors(data) ? try SafetensorsFile(contentsOf: url) : nil
    let archive = data.starts(with: [0x50, 0x4B]) ? try ZipArchive(contentsOf: url) : nil
    self.url = url
    do throws(ImportProblem) {
      let content = if let safetensors { try Content(safetensors) } else { try Content(data, archive: archive) }
      (kind, state, statistics) = (content.kind, content.state, content.statistics)
      (moments, condition, initialImage) = (content.moments, content.condition, content.initialImage)
      (wrapper, leftOut) = (content.wrapper, content.leftOut)
    } catch {
      throw error.fileError(url.path)
    }
  }

  /// Images that the network saw in training by the layers' counters, which a run on several devices keeps on one of
  /// them; nil for a state dictionary.
  public var imagesOfCounters: Int? { statistics.values.map(\.images).max() }

  /// Images that the network saw in training by the name that the original gives its files, `shot-001000.pkl` for a
  /// million; nil for another name.
  public var imagesOfName: Int? {
    url.lastPathComponent.wholeMatch(of: /(?:shot|training-state)-([0-9]{1,12})\.(?:pkl|pt)/).map { Int($0.1)! * 1000 }
  }

  /// Images that the network saw in training, the larger of what the name and the counters say: counters of a run on
  /// several devices fall short, and so does a name, which is rounded down to thousands; nil when neither says.
  public var images: Int? { [imagesOfName, imagesOfCounters].compactMap(\.self).max() }
}
