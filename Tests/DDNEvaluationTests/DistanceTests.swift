import DDNEvaluation
import DDNFiles
import DDNVision
import Foundation
import GoldenSupport
import Testing
import Torch

@Suite("Distances of distributions") struct DistanceTests {
  private struct Formula: Decodable {
    let distance: Double
    let rankDeficient: Double
    enum CodingKeys: String, CodingKey {
      case distance = "fid_a_b"
      case rankDeficient = "fid_c_b_rank_deficient"
    }
  }

  @Test("mean, covariance and Frechet distance are the original's, with fewer images than features, too") func golden()
    throws
  {
    let file = try Golden.safetensors("Z/fid_formula.safetensors")
    let values = try JSONDecoder().decode(
      Formula.self, from: Data(contentsOf: Golden.url("Z/fid_formula.json")))
    func statistics(_ name: String) throws -> FrechetDistance.Statistics {
      var moments = FeatureMoments()
      let features = try file.tensor("features_\(name)")
      for start in stride(from: 0, to: features.shape[0], by: 7) {
        try moments.add(features.slice(0, start..<min(start + 7, features.shape[0])))
      }
      return try moments.statistics()
    }
    let (a, b, c) = (try statistics("a"), try statistics("b"), try statistics("c"))
    #expect(try file.deviation(of: a.mean, from: "mu_a") < 1e-12)
    #expect(try file.deviation(of: b.covariance, from: "sigma_b") < 1e-12)
    #expect(abs(try FrechetDistance(a, b).value / values.distance - 1) < 1e-9)
    #expect(abs(try FrechetDistance(c, b).value / values.rankDeficient - 1) < 1e-6)
    #expect(try FrechetDistance(a, a).value < 1e-9)
  }

  @Test("large means cost no digits, and batches do not matter") func precision() throws {
    let rows = try GoldenSupport.Formula.images("rows", [300, 6]).to(.float64)
    let moved = try rows + 1e6
    var (plain, far) = (FeatureMoments(), FeatureMoments())
    try plain.add(rows)
    for (start, end) in [(0, 1), (1, 100), (100, 300)] { try far.add(moved.slice(0, start..<end)) }
    try far.add(moved.slice(0, 0..<0))
    let (first, second) = (try plain.statistics(), try far.statistics())
    #expect(try deviation(of: second.covariance, from: first.covariance) < 1e-8)
    #expect(abs(try FrechetDistance(first, second).value / 6e12 - 1) < 1e-9)
    #expect(first.count == 300)
  }

  @Test("kernel distance equals the sum over pairs, and is 0 on average for equal distributions") func kernel() throws {
    let x: [[Double]] = [[1, 0], [0.5, 2], [-1, 1]]
    let y: [[Double]] = [[0, 0.5], [1, -2], [2, 1], [0.3, 0.1]]
    func k(_ a: [Double], _ b: [Double]) -> Double { pow((a[0] * b[0] + a[1] * b[1]) / 2 + 1, 3) }
    func within(_ rows: [[Double]]) -> Double {
      var sum = 0.0
      for i in rows.indices { for j in rows.indices where i != j { sum += k(rows[i], rows[j]) } }
      return sum / Double(rows.count * (rows.count - 1))
    }
    let across = x.flatMap { a in y.map { k(a, $0) } }.reduce(0, +) / 12
    func tensor(_ rows: [[Double]]) throws -> Tensor { try Tensor(rows.flatMap { $0 }, shape: [rows.count, 2]) }
    let found = try KernelDistance.discrepancy(tensor(x), tensor(y))
    #expect(abs(found - (within(x) + within(y) - 2 * across)) < 1e-12)
    #expect(abs(try KernelDistance.discrepancy(tensor(y), tensor(x)) - found) < 1e-12)

    let (a, b) = (try RowSource.random("a", 400, 8).features(), try RowSource.random("b", 400, 8).features())
    let far = try RowSource.random("c", 400, 8, shift: 1).features()
    let same = try KernelDistance(a, b, subsets: 20, subsetSize: 100)
    #expect(abs(same.mean) < 3 * same.deviation && same.subsetSize == 100)
    #expect(try KernelDistance(a, far, subsets: 20, subsetSize: 100).mean > 10 * same.deviation)
    #expect(try KernelDistance(a, b, subsets: 20, subsetSize: 100).mean == same.mean)
    #expect(try KernelDistance(a, b, subsets: 2).subsetSize == 400)
  }

  @Test("precision and recall count what lies within balls to the third neighbour") func precisionRecall() throws {
    // Balls of the reference around 0...9 reach 2 or 3; 20 and 30 lie outside. Around 0, 5, 20, 30 they are wide.
    let reference = try RowSource(rows: (0..<10).map { [Float($0), 0] }).features(batch: 3)
    let images = try RowSource(rows: [[0.5, 0], [5, 0.5], [20, 0], [30, 0]]).features(batch: 3)
    let found = try PrecisionRecall(images, reference)
    #expect(found.precision == 0.5 && found.recall == 1)
    let swapped = try PrecisionRecall(reference, images)
    #expect(swapped.precision == 1 && swapped.recall == 0.5)
    let same = try PrecisionRecall(reference, reference)
    #expect(same.precision == 1 && same.recall == 1)
    #expect(throws: EvaluationError.self) {
      try PrecisionRecall(RowSource(rows: [[0], [1], [2]]).features(), RowSource(rows: [[0], [1], [2]]).features())
    }
  }

  @Test("a set's report has no distance to itself, perfect precision, and a row for every class") func report() throws {
    var source = try RowSource.random("set", 40, 3)
    source.labels = (0..<40).map { $0 % 3 }
    let features = try source.features()
    let detector = DetectorIdentity(name: "pixels", checksum: "0")
    let report = try DistanceReport(features, EvaluationReference(features), detector: detector, byClass: true)
    #expect(report.frechet < 1e-9 && report.precision == 1 && report.recall == 1)
    #expect(report.classes?.map(\.images) == [14, 13, 13] && report.classes!.allSatisfy { $0.frechet < 1e-9 })
    #expect(report.lines[0].hasPrefix("Frechet distance in the features of pixels: "))
    #expect(!report.lines.contains { $0.contains("FID") })
    #expect(throws: EvaluationError.self) {
      let plain = try RowSource.random("set", 40, 3).features()
      _ = try DistanceReport(plain, EvaluationReference(features), detector: detector, byClass: true)
    }
  }

  @Test("only Inception's distance is called FID, with a word where it is not of 50,000 images") func names() throws {
    let features = try RowSource.random("set", 40, 3).features()
    let inception = DetectorIdentity(name: "Inception v3", checksum: "0", isInception: true)
    let lines = try DistanceReport(features, EvaluationReference(features), detector: inception).lines
    #expect(lines[0].hasPrefix("FID: ") && lines[1].contains("of 40 images: not FID-50k"))
  }
}
