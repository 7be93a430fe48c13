import DDNFiles
import Foundation
import Torch

/// CLIP with a vision transformer, such as ViT-B/32, for inference: embeddings of images and texts.
///
/// Sizes are those of the weights. Attention has a head for every 64 channels and the activation is OpenAI's, unless a
/// `config.json` beside the weights says otherwise.
///
/// Source: Radford et al., Learning transferable visual models from natural language supervision, 2021.
public struct CLIP {
  private let normalization: Normalization
  private let image: CLIPTransformer
  private let text: CLIPTransformer
  private let patches: Tensor
  private let classToken: Tensor
  /// `[vocabulary, width]`.
  private let tokens: Tensor
  private let tokenizer: CLIPTokenizer?
  private let device: Device
  private let url: URL
  private static let pixelLimit = 1 << 20

  /// Loads a network and its vocabulary.
  ///
  /// - Parameters:
  ///   - url: a folder in Hugging Face's format, with `model.safetensors` or `pytorch_model.bin`, or a state dictionary
  ///     with Hugging Face's or OpenAI's names.
  ///   - vocabulary: a folder with `vocab.json` and `merges.txt`, or OpenAI's `bpe_simple_vocab_16e6.txt.gz`; nil looks
  ///     for either beside the weights, and does without when there is none.
  ///   - device: that computes the network.
  /// - Throws: `FileError` naming the first missing, misshapen or unexpected tensor; `TorchError`.
  public init(contentsOf url: URL, vocabulary: URL? = nil, device: Device = .cpu) throws {
    let file = try Self.weights(at: url)
    let folder = file.deletingLastPathComponent()
    let configurationFile = folder.appending(path: "config.json")
    let configuration =
      try FileManager.default.fileExists(atPath: configurationFile.path)
      ? CLIPConfiguration(contentsOf: configurationFile) : CLIPConfiguration()
    let weights = try StateDictionary(contentsOf: file)
    self.device = device
    self.url = file
    var reader = WeightReader(
      weights, network: "CLIP with a vision transformer",
      remedy: "give the state dictionary of such a CLIP, with Hugging Face's or OpenAI's names", device: device)
    let names = reader.contains(CLIPNames.openAI.patches) ? CLIPNames.openAI : .huggingFace
    normalization = try Normalization(.clip, device: device)

    let shape = try reader.shape(names.patches, rank: 4)
    patches = try reader.tensor(names.patches, [nil, 3, shape[2], shape[2]])
    classToken = try reader.tensor(names.classToken, [shape[0]])
    image = try CLIPTransformer(
      &reader, names.image, configuration.image, width: shape[0], embedding: nil,
      projectsByLinear: names.projectsByLinear, isCausal: false)
    let grid = Int(Double(image.length - 1).squareRoot())
    guard grid >= 1, grid * grid == image.length - 1 else {
      throw reader.error(
        "\(quoted(names.image.positions)) has \(image.length) positions, not those of a square and a class")
    }

    tokens = try reader.tensor(names.tokens, [nil, nil])
    text = try CLIPTransformer(
      &reader, names.text, configuration.text, width: tokens.shape[1], embedding: image.embedding,
      projectsByLinear: names.projectsByLinear, isCausal: true)
    try reader.finish { name in
      name == "logit_scale" || name.hasSuffix("position_ids")
        || ["input_resolution", "context_length", "vocab_size"].contains(name)
    }
    let list = vocabulary ?? CLIPTokenizer.vocabulary(in: folder)
    tokenizer = if let list { try CLIPTokenizer(contentsOf: list, size: tokens.shape[0]) } else { nil }
  }

  /// Height and width of the images that the network reads.
  public var imageSide: Int { Int(Double(image.length - 1).squareRoot()) * patches.shape[2] }

  /// Numbers of an embedding.
  public var embeddingSize: Int { image.embedding }

  /// Embeddings of images, which are resized by bicubic interpolation.
  ///
  /// - Parameter images: `[N, C, H, W]` in [-1, 1], C 1 or 3.
  /// - Returns: `[N, embeddingSize]` float32, of length 1.
  /// - Throws: `TorchError` when libtorch fails.
  public func embeddings(ofImages images: Tensor) throws -> Tensor {
    let (side, patch) = (imageSide, patches.shape[2])
    return try images.mapChunks(pixels: Self.pixelLimit, size: (side, side)) { images in
      let sized = try normalization(images).resizedBicubic(height: side, width: side)
      let (count, width) = (images.shape[0], image.width)
      let tokens = try sized.convolved(patches, bias: nil, stride: patch)
        .reshaped([count, width, -1]).transposed(1, 2)  // [n, patches, width]
      let all = try Tensor.concatenate([classToken.expanded([count, 1, width]), tokens], dimension: 1)
      return try image.projected(image(all).select(1, 0))
    }
  }

  /// Embeddings of texts.
  ///
  /// - Parameter texts: at least one, each of at most 75 tokens and the marks of start and end.
  /// - Returns: `[N, embeddingSize]` float32, of length 1.
  /// - Throws: `CLIPTextError` for a text with too many tokens; `FileError` when there is no vocabulary; `TorchError`.
  public func embeddings(ofTexts texts: [String]) throws -> Tensor {
    guard let tokenizer else {
      throw FileError(
        .missing, path: url.deletingLastPathComponent().path, problem: "has no vocabulary for texts",
        remedy: "put CLIP's vocab.json and merges.txt, or bpe_simple_vocab_16e6.txt.gz, beside the weights")
    }
    let rows = try texts.map { text in
      // Longer ones have too many tokens, and cleaning marks after a letter takes quadratic time.
      guard text.utf8.count <= 10_000 else { throw CLIPTextError(text: text, tokens: nil, most: self.text.length - 2) }
      let row = tokenizer.tokens(of: text)
      guard row.count <= self.text.length else {
        throw CLIPTextError(text: text, tokens: row.count - 2, most: self.text.length - 2)
      }
      return row
    }
    // A token attends to those before it, so what pads a text after its end does not matter.
    let length = rows.map(\.count).max()!
    let padded = rows.flatMap { $0 + Array(repeating: $0.last!, count: length - $0.count) }
    let indices = try Tensor(padded, shape: [rows.count * length]).to(device)
    let embedded = try text(tokens.gathered(indices).reshaped([rows.count, length, text.width]))
    let ends = rows.enumerated().map { $0 * length + $1.firstIndex(of: tokenizer.end)! }
    let last = try embedded.reshaped([rows.count * length, text.width])
      .gathered(Tensor(ends, shape: [rows.count]).to(device))
    return try text.projected(last)
  }

  private static func weights(at url: URL) throws(FileError) -> URL {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue else {
      return url
    }
    let names = [
      "model.safetensors", "pytorch_model.bin", "open_clip_model.safetensors", "open_clip_pytorch_model.bin",
    ]
    let files = names.map { url.appending(path: $0) }
    guard let file = files.first(where: { FileManager.default.fileExists(atPath: $0.path) }) else {
      throw FileError(
        .missing, path: url.path, problem: "has no model.safetensors or pytorch_model.bin",
        remedy: "give a folder of a CLIP in Hugging Face's format, or the file of its weights")
    }
    return file
  }
}

/// A text has more tokens than the network reads.
public struct CLIPTextError: Error, Equatable, CustomStringConvertible {
  public let text: String
  /// Of the text, without the marks of start and end; nil for a text that is too long to count.
  public let tokens: Int?
  /// That the network reads.
  public let most: Int

  public var description: String {
    "the text \(quoted(text)) has \(tokens.map { "\($0)" } ?? "too many") tokens, and CLIP reads at most \(most); shorten it"
  }
}
