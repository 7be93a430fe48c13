import DDN
import DDNFiles
import DDNPictures
import DDNVision
import Foundation
import GoldenSupport
import Images
import Testing
import Torch

@testable import DDNGuidance

@Suite("Guides by networks that judge images") struct VisionGuideTests {
  private let scratch: ScratchFolder

  init() throws {
    scratch = try ScratchFolder()
    try scratch.copy("vision/vocab.json", as: "vocab.json")
    try scratch.copy("vision/merges.txt", as: "merges.txt")
  }

  /// The path of a file with the formula's weights.
  private func weights(_ network: String) throws -> String {
    let url = scratch.file("\(network).safetensors")
    if !FileManager.default.fileExists(atPath: url.path) {
      try SafetensorsFile.write(Formula.weights(network), to: url)
    }
    return url.path
  }

  private func prepare(_ kind: GuideKind, _ text: String, channels: Int = 3) throws -> any PreparedGuide {
    try kind.prepare(GuideArguments(text), for: .init(imageShape: [channels, 32, 32], device: .cpu))
  }

  private func batch(_ targets: Tensor?, count: Int) -> GuideBatch {
    GuideBatch(targets: targets, targetNumbers: Array(0..<count), seeds: (0..<count).map(UInt64.init))
  }

  /// Scores of two images that share a row of five candidates of a level, and of each candidate alone.
  private func check(
    _ guide: any Guide, size: Int, channels: Int = 3, expected: (_ image: Tensor, _ target: Int) throws -> Double
  ) throws {
    let images = try Formula.images("candidates", [1, 5, channels, size, size]).to(.cpu)
    let guide = try #require(guide as? any ImageGuide)
    let scores = try guide.scores(ofImages: images, paths: SharedPaths(samples: 2, device: .cpu))
    #expect(scores.shape == [2, 5])
    let alone = try (0..<2).flatMap { target in
      try (0..<5).map { try expected(images.select(0, 0).slice(0, $0..<$0 + 1), target) }
    }
    #expect(try deviation(of: scores.array(), from: alone) < 1e-5)

    // All candidates of a level, each image with its row.
    let repeated = try images.expanded([2, 5, channels, size, size])
    let all = try guide.scores(of: Candidates(images: repeated))
    #expect(try deviation(of: all, from: scores) < 1e-5)
  }

  @Test("style is the mean squared difference of first features, at 64x64", arguments: [1, 3]) func style(channels: Int)
    throws
  {
    let path = try weights("vgg11")
    let targets = try Formula.images("targets", [2, channels, 32, 32]).to(.cpu)
    let prepared = try prepare(.style, "style:\(path)", channels: channels)
    #expect(prepared.needsTargets)
    let features = try StyleFeatures(StateDictionary(contentsOf: URL(filePath: path)))
    let wanted = try features(targets)
    let guide = try prepared.guide(for: batch(targets, count: 2))
    for size in [4, 32] {
      try check(guide, size: size, channels: channels) { image, target in
        try -(features(image) - wanted.slice(0, target..<target + 1)).squared().mean().item()
      }
    }
  }

  @Test("style of a picture needs no target") func stylePicture() throws {
    let path = try weights("vgg11")
    let picture = try Formula.images("picture", [1, 3, 32, 32]).to(.cpu)
    try picture.bitmaps()[0].write(to: scratch.file("style.png"))
    let stored = try PNG.read(scratch.file("style.png"), fittedTo: [3, 32, 32]).tensor()
    let mix = try MixedGuide(
      ["style:\(path),image=\(scratch.file("style.png").path)"], for: .init(imageShape: [3, 32, 32], device: .cpu),
      levels: 3)
    #expect(!mix.needsTargets)
    #expect(try mix.pictures(for: batch(nil, count: 2))[0]?.array(Float.self) == stored.array())
    let features = try StyleFeatures(StateDictionary(contentsOf: URL(filePath: path)))
    let wanted = try features(stored)
    try check(mix.guides(for: batch(nil, count: 2))[0], size: 8) { image, _ in
      try -(features(image) - wanted).squared().mean().item()
    }
  }

  @Test("lpips is the distance to the target at the level's resolution") func perceptual() throws {
    let path = try weights("lpips.alex")
    let targets = try Formula.images("targets", [2, 3, 32, 32]).to(.cpu)
    let lpips = try LPIPS(StateDictionary(contentsOf: URL(filePath: path)))
    let guide = try prepare(.perceptual, "lpips:\(path)").guide(for: batch(targets, count: 2))
    for size in [2, 32] {
      try check(guide, size: size) { image, target in
        let sized = try targets.slice(0, target..<target + 1).resizedArea(height: size, width: size)
        return try -lpips.distances(image, sized).item()
      }
    }
  }

  @Test("clip is 100 times the cosine to a text or a picture") func clip() throws {
    let path = try weights("clip.huggingface")
    let clip = try CLIP(contentsOf: URL(filePath: path))
    let text = try clip.embeddings(ofTexts: ["a cat, isn't it"])
    let prepared = try prepare(.clip, "clip:a cat, isn't it,weights=\(path)")
    #expect(!prepared.needsTargets)
    try check(prepared.guide(for: batch(nil, count: 2)), size: 16) { image, _ in
      try 100 * (clip.embeddings(ofImages: image) * text).sum().item()
    }

    let targets = try Formula.images("targets", [2, 3, 32, 32]).to(.cpu)
    let wanted = try clip.embeddings(ofImages: targets)
    let byPicture = try prepare(.clip, "clip:weights=\(path)")
    #expect(byPicture.needsTargets)
    try check(byPicture.guide(for: batch(targets, count: 2)), size: 32) { image, target in
      try 100 * (clip.embeddings(ofImages: image) * wanted.slice(0, target..<target + 1)).sum().item()
    }
  }

  @Test("bad arguments are one line that names the guide or the file") func badArguments() throws {
    let clip = try weights("clip.huggingface")
    let long = String(repeating: "1", count: 76)
    let cases: [(kind: GuideKind, text: String, problem: String)] = [
      (.style, "style", "--guide style: needs weights, as in style:resnet18.pth"),
      (.style, "style:/none.pth", "/none.pth: no such file"),
      (.style, "style:\(clip)", "clip.huggingface.safetensors: has no first convolution of a ResNet-18 or VGG; give"),
      (.perceptual, "lpips", "--guide lpips: needs weights, as in lpips:alexnet.pth,linear=alex.pth"),
      (.perceptual, "lpips:\(clip)", "clip.huggingface.safetensors: has no first convolution of an AlexNet or VGG-16"),
      (.clip, "clip:a cat", "--guide clip:a cat: needs weights="),
      (.clip, "clip:\(long),weights=\(clip)", "has 76 tokens, and CLIP reads at most 75; shorten it"),
      (.clip, "clip:a cat,vocabulary=/none,weights=\(clip)", "/none: no such file"),
    ]
    for (kind, text, problem) in cases {
      do {
        _ = try prepare(kind, text)
        Issue.record("\(text) is accepted")
      } catch {
        #expect("\(error)".contains(problem) && !"\(error)".contains("\n"), "\(error)")
        #expect(error is GuideError || error is FileError)
      }
    }
    #expect(throws: GuideError.self) { try prepare(.style, "style:/none.pth", channels: 4) }
  }
}
