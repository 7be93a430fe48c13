import DDN
import DDNPictures
import DDNVision
import Foundation
import Images
import Torch

/// How well images match a text or a picture by CLIP: 100 times the cosine of their embeddings.
///
/// Source: the original's CLIP sampler.
public struct CLIPGuide: ImageGuide {
  private let clip: CLIP
  private let embedding: Tensor  // [1, E]

  /// - Parameters:
  ///   - clip: embeds the images.
  ///   - text: that they are to match.
  /// - Throws: `CLIPTextError` for a text with too many tokens; `FileError` when there is no vocabulary; `TorchError`.
  public init(_ clip: CLIP, text: String) throws {
    self.clip = clip
    embedding = try clip.embeddings(ofTexts: [text])
  }

  /// - Parameters:
  ///   - clip: embeds the images.
  ///   - picture: that they are to match: `[1, C, H, W]` in [-1, 1], C 1 or 3.
  /// - Throws: `TorchError` when libtorch fails.
  public init(_ clip: CLIP, picture: Tensor) throws {
    self.clip = clip
    embedding = try clip.embeddings(ofImages: picture)
  }

  public func scores(ofImages images: Tensor, paths: SharedPaths) throws -> Tensor {
    let shape = images.shape  // [R, n, C, h, w]
    let found = try clip.embeddings(ofImages: images.reshaped([shape[0] * shape[1]] + shape[2...]))
    return try paths.perSample(found.linear(embedding, bias: nil).reshaped([shape[0], shape[1]]) * 100)
  }
}

extension GuideKind {
  static let clip = GuideKind(
    "clip", summary: "a text or a picture, by CLIP", example: "clip:a smiling person,weights=clip-vit-base-patch32",
    value: "the text, at most 75 tokens",
    options: [
      ("weights", "a folder in Hugging Face's format, or a state dictionary with its or OpenAI's names"),
      (
        "vocabulary",
        "a folder with vocab.json and merges.txt, or OpenAI's list of merges (default: beside the weights)"
      ),
      ("image", "a picture in place of the text"),
    ]
  ) { arguments, setting in
    try requireColours(arguments, setting)
    guard let path = arguments.option("weights") else {
      throw arguments.error("needs weights=, a folder or file of a CLIP such as ViT-B/32")
    }
    let text = arguments.value()
    let picturePath = arguments.option("image")
    let vocabulary = arguments.option("vocabulary")
    guard (text == nil) != (picturePath == nil) else {
      throw arguments.error("needs either a text, as in clip:a smiling person, or a picture, as in clip:image=cat.png")
    }
    let clip = try CLIP(
      contentsOf: URL(fileURLWithPath: path), vocabulary: vocabulary.map { URL(fileURLWithPath: $0) },
      device: setting.device)
    guard let picturePath else {
      do { return FixedGuide(try CLIPGuide(clip, text: text!)) } catch let error as CLIPTextError {
        throw arguments.error("\(error)")
      }
    }
    let shape = [setting.imageShape[0], clip.imageSide, clip.imageSide]
    let picture = try PNG.read(URL(fileURLWithPath: picturePath), fittedTo: shape).tensor()
    return FixedGuide(try CLIPGuide(clip, picture: picture.to(setting.device)))
  }
}
