import DDN
import DDNFiles
import Foundation
import Torch

extension GuideKind {
  /// A guide that a TorchScript module is: it gets images and returns scores, features or logits.
  public static let script = GuideKind(
    "script",
    summary:
      "a TorchScript module's scores, features or class; loading it runs its code: use only files that you trust",
    example: "script:scorer.pt", value: "a file that torch.jit.save wrote",
    options: [
      ("output", "scores: [N], the more the better; features: compared with the target's; class: logits, with class="),
      ("class", "index of the class to reach, from 0"),
      ("best", "max or min: which scores are good; max unless given"),
      ("size", "height and width of the module's images, 224 or 224x192; the network's unless given"),
      ("range", "of the module's images: -1..1, 0..1, imagenet or clip (normalized RGB); -1..1 unless given"),
    ],
    prepare: { arguments, setting in try PreparedScript(&arguments, setting) })
}

/// What a module's output means.
private enum ScriptOutput {
  /// `[N]` or `[N, 1]`, multiplied by the sign.
  case scores(sign: Double)
  /// `[N, ...]`
  case features
  /// `[N, classes]`, unnormalized log-probabilities.
  case logits(of: Int)
}

/// One module serves all batches of a run.
private struct PreparedScript: PreparedGuide {
  private let runner: ScriptRunner
  private let output: ScriptOutput

  init(_ arguments: inout GuideArguments, _ setting: GuideKind.Setting) throws {
    guard let path = arguments.value(), !path.isEmpty else { throw arguments.error("needs a TorchScript file") }
    output = try Self.output(&arguments)
    let size = try Self.size(&arguments) ?? (setting.imageShape[1], setting.imageShape[2])
    let range = try Self.range(&arguments)
    guard range.mean == nil || [1, 3].contains(setting.imageShape[0]) else {
      throw arguments.error("range= normalizes RGB, but the network has \(setting.imageShape[0]) channels")
    }
    let module = try ScriptModule(contentsOf: URL(filePath: path), device: setting.device)
    let failure = { [arguments] in arguments.error($0) }
    runner = try ScriptRunner(
      module: module, size: size, range: range, device: setting.device,
      failure: { [text = arguments.text] in GuideError(.failed, "--guide \(text): \($0)") })
    let trial = try runner(Tensor.zeros([2] + setting.imageShape, device: setting.device)).shape
    switch output {
    case .scores:
      guard trial == [2] || trial == [2, 1] else {
        throw failure("the module gives \(trial) for 2 images, not [2] scores; output= names features or a class")
      }
    case .features:
      guard trial.count >= 2, trial[0] == 2 else {
        throw failure("the module gives \(trial) for 2 images, not [2, ...]")
      }
    case .logits(let index):
      guard trial.count == 2, trial[0] == 2, index < trial[1] else {
        throw failure("the module gives \(trial) for 2 images, which has no class \(index)")
      }
    }
  }

  var needsTargets: Bool { if case .features = output { true } else { false } }

  func guide(for batch: GuideBatch) throws -> any Guide {
    switch output {
    case .scores(let sign): return ScriptScoreGuide(runner) { try $0.reshaped([-1]) * sign }
    case .logits(let index): return ScriptScoreGuide(runner) { try $0.logSoftmax(1).select(1, index) }
    case .features: return try ScriptFeatureGuide(runner, targets: try runner(batch.requireTargets()))
    }
  }

  private static func output(_ arguments: inout GuideArguments) throws(GuideError) -> ScriptOutput {
    let index = arguments.option("class")
    let output = arguments.option("output") ?? (index == nil ? "scores" : "class")
    let best = arguments.option("best")
    guard best == nil || output == "scores" else { throw arguments.error("best= goes with output=scores") }
    switch output {
    case "scores" where index == nil:
      guard ["max", "min"].contains(best ?? "max") else { throw arguments.error("best= is max or min, not '\(best!)'") }
      return .scores(sign: best == "min" ? -1 : 1)
    case "features" where index == nil: return .features
    case "class":
      guard let index, let number = Int(index), number >= 0 else {
        throw arguments.error("class= is the index of a class, from 0\(index.map { ", not '\($0)'" } ?? "")")
      }
      return .logits(of: number)
    case "scores", "features": throw arguments.error("class= goes with output=class")
    case let other: throw arguments.error("output= is scores, features or class, not '\(other)'")
    }
  }

  private static func size(_ arguments: inout GuideArguments) throws(GuideError) -> (height: Int, width: Int)? {
    guard let text = arguments.option("size") else { return nil }
    let sides = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    guard (1...2).contains(sides.count), sides.allSatisfy({ (1...4096).contains($0) }) else {
      throw arguments.error("size= is a side such as 224, or WIDTHxHEIGHT, within 1...4096, not '\(text)'")
    }
    return (sides.last!, sides[0])
  }

  private static func range(_ arguments: inout GuideArguments) throws(GuideError) -> PixelRange {
    let text = arguments.option("range") ?? PixelRange.symmetric.rawValue
    guard let range = PixelRange(rawValue: text) else {
      throw arguments.error("range= is -1..1, 0..1, imagenet or clip, not '\(text)'")
    }
    return range
  }
}
