import DDN
import Foundation
import GoldenSupport
import Testing
import Torch

@testable import DDNGuidance

/// The original's samplers on eight random images of five sizes.
@Suite("Guides against the original's samplers")
struct GuidanceGoldenTests {
  struct Meta: Decodable {
    struct Item: Decodable {
      let sampler: String
      let h: Int?
      let best: Int?
      let topCandidates: [Int]?

      enum CodingKeys: String, CodingKey {
        case sampler, h, best
        case topCandidates = "top_candidates"
      }
    }
    let items: [Item]
  }

  static let file = Result { try Golden.safetensors("Z/zscg_scores.safetensors") }
  static let samplers = [
    "l2", "l1", "masked0", "masked3", "masked9", "noise", "lowbit", "color", "sr_half", "sr_eighth", "edge",
  ]

  static func guide(_ name: String, _ target: Tensor, _ file: SafetensorsFile) throws -> any Guide {
    func mask(_ number: Int) throws -> any Guide {
      let pixels = BuiltInMask(rawValue: number)!.pixels(height: 16, width: 16)
      return MeasurementGuide(try MaskMeasurement(target, mask: Tensor(pixels, shape: [16, 16])))
    }
    switch name {
    case "l2": return MeasurementGuide(PixelMeasurement(target))
    case "l1": return AbsoluteGuide(target)
    case "noise": return MeasurementGuide(PixelMeasurement(try file.tensor("noise.prepared_target")))
    case "lowbit": return MeasurementGuide(try PixelMeasurement(target, steps: 4))
    case "color": return MeasurementGuide(try GrayMeasurement(target))
    case "sr_half": return MeasurementGuide(try LowResolutionMeasurement(target, height: 8, width: 8))
    case "sr_eighth": return MeasurementGuide(try LowResolutionMeasurement(target, height: 2, width: 2))
    case "edge": return try EdgeGuide(target)
    default: return try mask(Int(name.dropFirst(6))!)
    }
  }

  @Test("errors, the best and the two best are the original's at every resolution", arguments: samplers)
  func scores(sampler: String) throws {
    let file = try Self.file.get()
    let items = try JSONDecoder().decode(Meta.self, from: Data(file.metadata["meta"]!.utf8)).items
    let target = try file.tensor("target").reshaped([1, 3, 16, 16])
    let guide = try Self.guide(sampler, target, file)
    for item in items where item.sampler == sampler {
      let side = item.h!
      let candidates = try Candidates(images: file.tensor("rgbs_h\(side)").reshaped([1, 8, 3, side, side]))
      let found = try guide.scores(of: candidates).array(Double.self)
      // The original's scores are a softmax of ours, except for edges; logarithms differ by a constant.
      let golden = try file.tensor("\(sampler).h\(side).scores").array(Double.self)
      let expected = sampler == "edge" ? golden : golden.map { log($0) }
      let shift = sampler == "edge" ? 0 : expected[0] - found[0]
      for (mine, theirs) in zip(found, expected) { #expect(abs(mine + shift - theirs) < 2e-4, "\(side)") }
      let order = found.indices.sorted { found[$0] > found[$1] }
      // Images of one pixel have no edges: all scores are equal but for rounding.
      guard expected.max()! - expected.min()! > 1e-5 else { continue }
      #expect(order[0] == item.best)
      #expect(Set(order.prefix(item.topCandidates!.count)) == Set(item.topCandidates!))
    }
  }

  @Test("combined ranks are the original's")
  func combined() throws {
    let file = try Self.file.get()
    let target = try file.tensor("target").reshaped([1, 3, 16, 16])
    let candidates = try Candidates(images: file.tensor("multi.output"))
    let scores = try ["color", "sr_eighth", "masked9"].map {
      try Self.guide($0, target, file).scores(of: candidates)
    }
    let combined = try GuideCombination.ranks.combined(scores, weights: [0.25, 0.25, 0.5])
    #expect(try combined.array(Float.self) == file.tensor("multi.rank_score").array())
  }

  @Test("masks are the original's", arguments: [0, 1, 2, 3, 4, 5, 6, 9])
  func masks(number: Int) throws {
    let expected = try Self.file.get().tensor("mask\(number)").to(.float32).array(Float.self)
    #expect(BuiltInMask(rawValue: number)!.pixels(height: 16, width: 16) == expected)
  }

  @Test("the letter S is the original's but for its font") func letter() throws {
    for side in [32, 64, 128] {
      let expected = try Self.file.get().tensor("mask_S_\(side)").to(.float32).array(Float.self)
      let found = BuiltInMask.letterS.pixels(height: side, width: side)
      let both = zip(found, expected).count { $0 > 0 && $1 > 0 }
      let either = zip(found, expected).count { $0 > 0 || $1 > 0 }
      #expect(Double(both) > 0.8 * Double(either))
      #expect(BuiltInMask.notLetterS.pixels(height: side, width: side) == found.map { 1 - $0 })
    }
  }

  @Test("top counts are the original's") func topCounts() throws {
    struct Case: Decodable {
      let n: Int
      let topk: Double
      let count: Int
    }
    let cases = try JSONDecoder().decode([Case].self, from: Data(contentsOf: Golden.url("Z/topk_counts.json")))
    #expect(cases.count > 20)
    for item in cases {
      let text = item.topk < 1 ? "\(item.topk)" : "\(Int(item.topk))"
      #expect(TopCount(text)?.count(of: item.n) == item.count, "\(text) of \(item.n)")
    }
    for text in ["0", "-1", "1.5", "0.0", "x", "", "nan"] { #expect(TopCount(text) == nil, "\(text)") }
  }
}
