import DDN
import DDNVision
import Foundation
import Torch

/// How well images match a text or a picture by CLIP: 100 times the cosine of their embeddings.
///
/// Source: the original's CLIP sampler.
public struct CLIPGuide: ImageGuide {
  private let clip: CLIP
  private let embeddings: Tensor  // [B, 1, E], or [1, 1, E] for all images

  /// - Parameters:
  ///   - clip: embeds the images.
  ///   - text: that they are to match.
  /// - Throws: `CLIPTextError` for a text with too many tokens; `FileError` when there is no vocabulary; `TorchError`.
  public init(_ clip: CLIP, text: String) throws {
    self.clip = clip
    embeddings = try clip.embeddings(ofTexts: [text]).reshaped([1, 1, -1])
  }

  /// - Parameters:
  ///   - clip: embeds the images.
  ///   - pictures: that they are to match: `[B, C, H, W]` in [-1, 1], C 1 or 3, or one for all.
  /// - Throws: `TorchError` when libtorch fails.
  public init(_ clip: CLIP, pictures: Tensor) throws {
    self.clip = clip
    embeddings = try clip.embeddings(ofImages: pictures).reshaped([pictures.shape[0], 1, -1])
  }

  public func scores(ofImages images: Tensor, paths: SharedPaths) throws -> Tensor {
    let shape = images.shape  // [R, n, C, h, w]
    let found = try clip.embeddings(ofImages: images.reshaped([shape[0] * shape[1]] + shape[2...]))
      .reshaped([shape[0], shape[1], -1])  // [R, n, E]
    return try (paths.perSample(found) * embeddings).sum([2]) * 100
  }
}

extension GuideKind {
  static let clip = GuideKind(
    "clip", summary: "a text or a picture, by CLIP", example: "clip:a smiling person,weights=clip-vit-base-patch32",
    value: "the text, at most 75 tokens; without one, the target is the picture to match",
    options: [
      ("weights", "a folder in Hugging Face's format, or a state dictionary with its or OpenAI's names"),
      (
        "vocabulary",
        "a folder with vocab.json and merges.txt, or OpenAI's list of merges (default: beside the weights)"
      ),
    ]
  ) { arguments, setting in
    try requireColours(arguments, setting)
    guard let path = arguments.option("weights") else {
      throw arguments.error("needs weights=, a folder or file of a CLIP such as ViT-B/32")
    }
    let text = arguments.value()
    let vocabulary = arguments.option("vocabulary")
    let clip = try CLIP(
      contentsOf: URL(fileURLWithPath: path), vocabulary: vocabulary.map { URL(fileURLWithPath: $0) },
      device: setting.device)
    guard let text else { return PreparedTargetGuide { try CLIPGuide(clip, pictures: $0) } }
    do { return FixedGuide(try CLIPGuide(clip, text: text)) } catch let error as CLIPTextError {
      throw arguments.error("\(error)")
    }
  }
}
