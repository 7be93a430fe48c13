import DDNFiles
import Foundation
import GoldenSupport
import Testing
import Torch

@testable import DDNVision

@Suite("CLIP computes what transformers' and open_clip's do") struct CLIPTests {
  private static let texts = [
    "a smiling person wearing sunglasses", "it's they're we've i'm they'll you'd isn't", "1234 photos, 5th of 6",
  ]

  /// A folder with weights and, in Hugging Face's format, the vocabulary.
  private func folder(_ naming: String, file: String = "model.safetensors") throws -> ScratchFolder {
    let scratch = try ScratchFolder()
    try SafetensorsFile.write(Formula.weights("clip.\(naming)"), to: scratch.file(file))
    try scratch.copy("vision/vocab.json", as: "vocab.json")
    try scratch.copy("vision/merges.txt", as: "merges.txt")
    return scratch
  }

  @Test("embeddings of a folder in Hugging Face's format") func huggingFace() throws {
    let scratch = try folder("huggingface")
    let clip = try CLIP(contentsOf: scratch.url, device: Golden.device)
    #expect(clip.imageSide == 32 && clip.embeddingSize == 48)
    let images = try Formula.images()
    #expect(try Formula.deviation(clip.embeddings(ofImages: images), "clip.huggingface.images") < 1e-5)
    #expect(try Formula.deviation(clip.embeddings(ofTexts: Self.texts), "clip.huggingface.texts") < 1e-5)

    // A text alone has the embedding that it has among longer ones.
    let alone = try clip.embeddings(ofTexts: [Self.texts[0]])
    #expect(try deviation(of: alone, from: clip.embeddings(ofTexts: Self.texts).slice(0, 0..<1)) < 1e-6)
  }

  @Test("config.json tells the activation and the heads") func configuration() throws {
    let scratch = try folder("huggingface")
    func write(_ text: String) throws { try Data(text.utf8).write(to: scratch.file("config.json")) }
    try write(#"{"vision_config": {"hidden_act": "gelu", "num_attention_heads": 3}}"#)
    let clip = try CLIP(contentsOf: scratch.url, device: Golden.device)
    #expect(try Formula.deviation(clip.embeddings(ofImages: Formula.images()), "clip.gelu.images") < 1e-5)
    for (text, problem) in [
      (#"{"vision_config": {"hidden_act": "tanh"}}"#, #"config.json: has the unknown activation "tanh""#),
      (#"{"vision_config": {"num_attention_heads": 5}}"#, "not a multiple of 5 heads"), ("[]", "config.json: is not"),
    ] {
      try write(text)
      let error = try #require(throws: FileError.self) { try CLIP(contentsOf: scratch.url) }
      #expect(error.description.contains(problem), "\(error)")
    }
  }

  @Test("embeddings of a file with OpenAI's names, beside OpenAI's list of merges") func openAI() throws {
    let scratch = try ScratchFolder()
    try SafetensorsFile.write(Formula.weights("clip.openai"), to: scratch.file("ViT.safetensors"))
    try scratch.copy("vision/list.txt.gz", as: "bpe_simple_vocab_16e6.txt.gz")
    let clip = try CLIP(contentsOf: scratch.file("ViT.safetensors"), device: Golden.device)
    #expect(try Formula.deviation(clip.embeddings(ofImages: Formula.images()), "clip.openai.images") < 1e-5)
    #expect(try Formula.deviation(clip.embeddings(ofTexts: Self.texts), "clip.openai.texts") < 1e-5)
  }

  @Test("a text of more than 77 tokens is refused, one of 77 is not") func longText() throws {
    let scratch = try folder("huggingface")
    let clip = try CLIP(contentsOf: scratch.url)
    _ = try clip.embeddings(ofTexts: [String(repeating: "1", count: 75)])
    let error = try #require(throws: CLIPTextError.self) {
      try clip.embeddings(ofTexts: [String(repeating: "1", count: 76)])
    }
    #expect(error.description.contains("has 76 tokens, and CLIP reads at most 75; shorten it"))
    #expect(!error.description.contains("\n"))
  }

  @Test("without a vocabulary, images have embeddings and texts an error") func noVocabulary() throws {
    let scratch = try folder("huggingface", file: "pytorch_model.safetensors")
    try FileManager.default.removeItem(at: scratch.file("vocab.json"))
    let clip = try CLIP(contentsOf: scratch.file("pytorch_model.safetensors"))
    #expect(try clip.embeddings(ofImages: Formula.images()).shape == [2, 48])
    let error = try #require(throws: FileError.self) { try clip.embeddings(ofTexts: ["a cat"]) }
    #expect(error.kind == .missing && error.description.contains("has no vocabulary for texts; put CLIP's vocab.json"))
  }
}
