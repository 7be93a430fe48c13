import DDNEvaluation
import Foundation
import Testing
import Torch

@Suite("Frechet distance") struct FrechetDistanceTests {
  private static func statistics(_ rows: [[Double]]) throws -> FrechetDistance.Statistics {
    try FrechetDistance.Statistics(Tensor(rows.flatMap { $0 }, shape: [rows.count, rows[0].count]))
  }

  @Test("equals the closed form of independent features: differences of means and of standard deviations")
  func closedForm() throws {
    // Uncorrelated: the corners of rectangles.
    let corners = [(1.0, 1.0), (1, -1), (-1, 1), (-1, -1)]
    func square(_ x: Double, _ y: Double, _ mean: (Double, Double)) throws -> FrechetDistance.Statistics {
      let rows: [[Double]] = corners.map { corner in [mean.0 + x * corner.0, mean.1 + y * corner.1] }
      return try Self.statistics(rows)
    }
    let found = try FrechetDistance(square(1, 2, (0, 0)), square(3, 2, (3, 1))).value
    let deviation = (4.0 / 3).squareRoot()  // of +-1, four times
    #expect(abs(found - (9 + 1 + pow(2 * deviation, 2))) < 1e-9)
  }

  @Test("equals SciPy's matrix square root for correlated features") func correlated() throws {
    // numpy: x[i, j] = sin(i * (j + 1)), y[i, j] = cos(i * (j + 2)) + 0.1 * j of 50 rows and 5 columns; scipy.linalg.sqrtm
    func rows(_ body: (Int, Int) -> Double) -> [[Double]] { (0..<50).map { i in (0..<5).map { body(i, $0) } } }
    let x = rows { i, j in sin(Double(i * (j + 1))) }
    let y = rows { i, j in cos(Double(i * (j + 2))) + 0.1 * Double(j) }
    let found = try FrechetDistance(Self.statistics(x), Self.statistics(y)).value
    #expect(abs(found - Self.reference) < 1e-9)
    #expect(abs(try FrechetDistance(Self.statistics(y), Self.statistics(x)).value - found) < 1e-9)
  }

  private static let reference = 0.3889050856352788

  @Test("fewer vectors than features are fine, one vector and NaN are errors") func few() throws {
    let few = try Self.statistics([[0, 1, 2, 3], [1, 2, 3, 5]])
    #expect(try FrechetDistance(few, few).value < 1e-6)
    #expect(throws: EvaluationError("a Frechet distance needs at least 2 images, not 1")) {
      try Self.statistics([[1, 2]])
    }
    #expect(throws: EvaluationError("the features of an image are not finite")) {
      try Self.statistics([[1, 2], [.nan, 0]])
    }
  }
}
