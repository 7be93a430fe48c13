import DDNFiles
import Foundation
import Torch

/// What a CLIP's weights do not show; OpenAI's networks have the defaults.
struct CLIPConfiguration {
  enum Activation: String {
    case quickGelu = "quick_gelu"
    case gelu

    func callAsFunction(_ values: Tensor) throws(TorchError) -> Tensor {
      switch self {
      case .quickGelu: try values.quickGelu()
      case .gelu: try values.gelu()
      }
    }
  }

  struct Tower {
    var activation = Activation.quickGelu
    /// Nil for one of every 64 channels.
    var heads: Int?
  }

  var image = Tower()
  var text = Tower()

  init() {}

  /// Reads Hugging Face's `config.json`.
  ///
  /// - Throws: `FileError` when it is no CLIP's, or has an unknown activation.
  init(contentsOf url: URL) throws(FileError) {
    struct File: Decodable {
      struct Tower: Decodable {
        var activation: String?
        var heads: Int?

        enum CodingKeys: String, CodingKey {
          case activation = "hidden_act"
          case heads = "num_attention_heads"
        }
      }
      var image: Tower?
      var text: Tower?

      enum CodingKeys: String, CodingKey {
        case image = "vision_config"
        case text = "text_config"
      }
    }
    let remedy = "use the file that belongs to the CLIP, or remove it if the CLIP is OpenAI's"
    let data = try InputFile.map(url)
    guard let file = try? JSONDecoder().decode(File.self, from: data) else {
      throw FileError(.invalid, path: url.path, problem: "is not the configuration of a CLIP", remedy: remedy)
    }
    func tower(_ file: File.Tower?) throws(FileError) -> Tower {
      var tower = Tower()
      if let name = file?.activation {
        guard let activation = Activation(rawValue: name) else {
          throw FileError(
            .invalid, path: url.path, problem: "has the unknown activation \(quoted(name))", remedy: remedy)
        }
        tower.activation = activation
      }
      if let heads = file?.heads {
        guard heads > 0 else {
          throw FileError(.invalid, path: url.path, problem: "has \(heads) attention heads", remedy: remedy)
        }
        tower.heads = heads
      }
      return tower
    }
    (image, text) = (try tower(file.image), try tower(file.text))
  }
}
