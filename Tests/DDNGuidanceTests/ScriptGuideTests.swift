import DDN
import DDNFiles
import Foundation
import GoldenSupport
import Testing
import Torch

@testable import DDNGuidance

@Suite("Guides that are TorchScript modules")
struct ScriptGuideTests {
  private static let setting = GuideKind.Setting(imageShape: [1, 8, 8], device: .cpu)
  private static func candidates() throws -> Tensor {
    try Tensor.uniform([2, 5, 1, 4, 4], generator: Generator(seed: 3)) * 2 - 1
  }

  private static func prepared(
    _ arguments: String, _ setting: GuideKind.Setting = setting
  ) throws -> any PreparedGuide {
    let (name, options) =
      arguments.split(separator: ",", maxSplits: 1).count == 2
      ? (String(arguments.prefix { $0 != "," }), String(arguments.drop { $0 != "," })) : (arguments, "")
    let path = Golden.url("script/\(name).pt").path
    return try GuideKind.script.prepare(GuideArguments("script:\(path)\(options)"), for: setting)
  }

  private static func scores(_ arguments: String, targets: Tensor? = nil) throws -> Tensor {
    let batch = GuideBatch(targets: targets, targetNumbers: [0, 1], seeds: [1, 2])
    return try prepared(arguments).guide(for: batch).scores(of: Candidates(images: candidates()))
  }

  @Test("scores are the module's, the highest or the lowest best, of images in its range")
  func scores() throws {
    let means = try Self.candidates().mean([2, 3, 4])
    #expect(try deviation(of: Self.scores("brightness"), from: means) < 1e-5)
    #expect(try deviation(of: Self.scores("brightness,best=min"), from: means * -1) < 1e-5)
    #expect(try deviation(of: Self.scores("brightness,range=0..1"), from: means * 0.5 + 0.5) < 1e-5)
    let deviations = [0.229, 0.224, 0.225]
    let scale = deviations.map { 1 / $0 }.reduce(0, +) / 3
    let shift = zip([0.485, 0.456, 0.406], deviations).map { $0 / $1 }.reduce(0, +) / 3
    let normalized = try (means * 0.5 + 0.5) * scale - shift
    #expect(try deviation(of: Self.scores("brightness,range=imagenet,size=12x16"), from: normalized) < 1e-5)
  }

  @Test("a class is scored by its log-probability")
  func classes() throws {
    let means = try Self.candidates().mean([2, 3, 4]).array(Double.self)
    let expected = means.map { -5 * $0 - log(exp(5 * $0) + 1 + exp(-5 * $0)) }
    #expect(try deviation(of: Self.scores("classes,class=2").array(), from: expected) < 1e-5)
  }

  @Test("features are compared with the target's, at the module's size")
  func features() throws {
    let targets = try Tensor.uniform([2, 1, 8, 8], generator: Generator(seed: 4)) * 2 - 1
    let module = try ScriptModule(contentsOf: Golden.url("script/features.pt"))
    let sized = try Self.candidates().reshaped([10, 1, 4, 4]).resizedBilinear(height: 8, width: 8)
    let difference = try module([sized]).reshaped([2, 5, 8]) - module([targets]).reshaped([2, 1, 8])
    let expected = try difference.squared().mean([2]) * -1
    #expect(try deviation(of: Self.scores("features,output=features", targets: targets), from: expected) < 1e-5)
    #expect(try Self.prepared("features,output=features").needsTargets)
    #expect(throws: GuideError.self) { _ = try Self.scores("features,output=features") }
  }

  @Test(
    "arguments that do not fit the module are named",
    arguments: [
      ("classes", "the module gives [2, 3] for 2 images, not [2] scores"),
      ("classes,class=3", "the module gives [2, 3] for 2 images, which has no class 3"),
      ("classes,class=-1", "class= is the index of a class, from 0, not '-1'"),
      ("classes,output=class", "class= is the index of a class"),
      ("brightness,output=features", "the module gives [2] for 2 images"),
      ("brightness,output=logits", "output= is scores, features or class, not 'logits'"),
      ("brightness,best=first", "best= is max or min, not 'first'"),
      ("classes,class=1,best=min", "best= goes with output=scores"),
      ("brightness,size=0", "size= is a side such as 224, or WIDTHxHEIGHT"),
      ("brightness,size=1x2x3", "size= is a side such as 224, or WIDTHxHEIGHT"),
      ("brightness,range=0..255", "range= is -1..1, 0..1, imagenet or clip, not '0..255'"),
    ])
  func badArguments(arguments: String, message: String) throws {
    let error = try #require(throws: GuideError.self) { _ = try Self.prepared(arguments) }
    #expect(error.description.contains(message), "\(error)")
  }

  @Test("a network of two channels has no RGB")
  func channels() throws {
    let error = try #require(throws: GuideError.self) {
      _ = try Self.prepared("brightness,range=clip", .init(imageShape: [2, 8, 8], device: .cpu))
    }
    #expect(error.description.contains("range= normalizes RGB, but the network has 2 channels"))
  }

  @Test("values that are not finite are an error")
  func notFinite() throws {
    let images = try Tensor.full([1, 2, 1, 4, 4], .nan)
    let guide = try Self.prepared("brightness").guide(for: GuideBatch(targets: nil, targetNumbers: [0], seeds: [1]))
    let error = try #require(throws: GuideError.self) { _ = try guide.scores(of: Candidates(images: images)) }
    #expect(error.description.contains("the module gives NaN or infinite values"))
  }
}
