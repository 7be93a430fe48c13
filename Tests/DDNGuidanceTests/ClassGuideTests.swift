import DDN
import DDNClassifiers
import DDNFiles
import DDNVision
import Foundation
import Testing
import Torch

@testable import DDNGuidance

@Suite("Guides to a class")
struct ClassGuideTests {
  /// The logit of class c is c times the mean of the image.
  private struct MeanClassifier: ImageClassifier {
    let classes = 4

    func logits(of images: Tensor) throws -> Tensor {
      try images.mean([1, 2, 3]).reshaped([-1, 1]) * Tensor([0, 1, 2, 3] as [Float], shape: [1, 4])
    }
  }

  /// `[R, 3, 1, 2, 2]`: three candidates, for each row of another brightness.
  private static func candidates(_ means: [[Float]]) throws -> Tensor {
    try Tensor(means.joined().flatMap { Array(repeating: $0, count: 4) }, shape: [means.count, 3, 1, 2, 2])
  }

  private static func logProbability(of number: Int, mean: Float) -> Float {
    Float(number) * mean - log((0..<4).reduce(0) { $0 + exp(Float($1) * mean) })
  }

  private static let means: [[Float]] = [[-1, 0, 0.5], [0.2, -0.3, 1]]

  private static func scores(_ goal: ClassGuide.Goal) throws -> [Float] {
    try ClassGuide(MeanClassifier(), goal: goal)
      .scores(ofImages: candidates(means), paths: .separate(samples: 2)).array()
  }

  @Test("scores are the class's log-probabilities") func one() throws {
    for number in 0..<4 {
      let expected = Self.means.joined().map { Self.logProbability(of: number, mean: $0) }
      for (mine, theirs) in zip(try Self.scores(.classes([number])), expected) { #expect(abs(mine - theirs) < 1e-5) }
    }
  }

  @Test("each image of a batch has its class") func several() throws {
    let expected =
      Self.means[0].map { Self.logProbability(of: 3, mean: $0) }
      + Self.means[1].map { Self.logProbability(of: 1, mean: $0) }
    for (mine, theirs) in zip(try Self.scores(.classes([3, 1])), expected) { #expect(abs(mine - theirs) < 1e-5) }
  }

  @Test("without a class the most certain one counts") func certain() throws {
    let expected = Self.means.joined().map { mean in (0..<4).map { Self.logProbability(of: $0, mean: mean) }.max()! }
    for (mine, theirs) in zip(try Self.scores(.mostCertain), expected) { #expect(abs(mine - theirs) < 1e-5) }
  }

  @Test("images on shared paths have the scores of their row") func shared() throws {
    let guide = ClassGuide(MeanClassifier(), goal: .classes([0, 3, 2]))
    let images = try Self.candidates([Self.means[0]])
    let found: [Float] = try guide.scores(ofImages: images, paths: SharedPaths(samples: 3, device: .cpu)).array()
    let expected = [0, 3, 2].flatMap { number in Self.means[0].map { Self.logProbability(of: number, mean: $0) } }
    #expect(found.count == 9)
    for (mine, theirs) in zip(found, expected) { #expect(abs(mine - theirs) < 1e-5) }
  }

  private static let digits = GuideKind.Setting(imageShape: [1, 32, 32], device: .cpu)

  private static func refusal(_ text: String, _ setting: GuideKind.Setting) throws -> String {
    let error = #expect(throws: (any Error).self) {
      try GuideKind.classNumber.prepare(GuideArguments(text), for: setting)
    }
    return "\(try #require(error))"
  }

  @Test(
    "a class out of range, no class and an unknown classifier are errors",
    .enabled(if: ResidualClassifier.shippedNames.contains("digits")),
    arguments: [
      ("class:10", "'10' is no class of the classifier; give a number within 0...9"), ("class:-1", "0...9"),
      ("class:two", "0...9"), ("class", "needs a class"), ("class:1,classifier=no-such", "no such classifier"),
    ])
  func wrong(text: String, problem: String) throws {
    #expect(try Self.refusal(text, Self.digits).contains(problem))
  }

  @Test("images without a shipped classifier need one") func noClassifier() throws {
    let large = GuideKind.Setting(imageShape: [3, 256, 256], device: .cpu)
    let message = try Self.refusal("class:1", large)
    #expect(message.contains("RGB images of 256 x 256") && message.contains("classifier="))
  }

  @Test("a file of other weights is refused by its path") func otherFile() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).safetensors")
    defer { try? FileManager.default.removeItem(at: url) }
    try SafetensorsFile.write(["a": .zeros([1])], to: url)
    #expect(
      try Self.refusal("class:1,classifier=\(url.path)", Self.digits).hasPrefix("\(url.path): is not a classifier"))
  }

  @Test("seeds give classes modulo their number", .enabled(if: ResidualClassifier.shippedNames.contains("digits")))
  func seeds() throws {
    let images = try Tensor.normal([2, 5, 1, 32, 32], generator: Generator(seed: 1))
    func scores(_ text: String) throws -> [Float] {
      let batch = GuideBatch(targets: nil, targetNumbers: [0, 0], seeds: [13, 27])
      let guide = try GuideKind.classNumber.prepare(GuideArguments(text), for: Self.digits).guide(for: batch)
      return try (guide as! ClassGuide).scores(ofImages: images, paths: .separate(samples: 2)).array()
    }
    let (three, seven) = (try scores("class:3"), try scores("class:7"))
    #expect(try scores("class:seed") == Array(three[..<5]) + Array(seven[5...]))
  }
}
