import DDNEvaluation
import Foundation
import GoldenSupport
import Testing
import Torch

/// `Tests/Golden/compression`.
struct CompressionGolden: Decodable {
  struct Filling: Decodable {
    let variances: [Double]
    let bits: Double
    let level: Double
    let rates: [Double]
  }
  struct Gaussian: Decodable {
    let bits: Int
    let levels: [Double]
    let error: Double
  }
  struct PCA: Decodable {
    let variances: [Double]
    let errorOfThreeComponents: Double
  }
  let waterFilling: [Filling]
  let gaussian: [Gaussian]
  let pca: PCA

  static let all = Result {
    try JSONDecoder().decode(
      CompressionGolden.self, from: Data(contentsOf: Golden.url("compression/compression.json")))
  }

  /// The numbers of `generate.py`: `[count, values]`, flat.
  static func numbers(_ count: Int, _ values: Int) -> [Double] {
    var state = 12345
    var numbers = (0..<count * values).map { _ -> Double in
      state = (state * 1_103_515_245 + 12345) % (1 << 31)
      return Double(state) / Double(1 << 31) - 0.5
    }
    for place in numbers.indices where place % values > 0 {
      numbers[place] = 0.8 * numbers[place - 1] + 0.6 * numbers[place]
    }
    return numbers
  }
}

@Suite("Scalar quantization") struct QuantizationTests {
  @Test("reverse water-filling equals bisection, and the rates add up") func waterFilling() throws {
    for golden in try CompressionGolden.all.get().waterFilling {
      let found = ReverseWaterFilling(variances: golden.variances, bits: golden.bits)
      #expect(abs(found.waterLevel - golden.level) < 1e-9 * golden.level)
      #expect(zip(found.rates, golden.rates).allSatisfy { abs($0 - $1) < 1e-9 })
      #expect(abs(found.rates.reduce(0, +) - golden.bits) < 1e-9)
      for (variance, (rate, error)) in zip(golden.variances, zip(found.rates, found.errors)) {
        #expect(abs(error - variance * exp2(-2 * rate)) < 1e-9)
      }
    }
  }

  @Test("without bits or variance, errors are the variances") func noWater() {
    let dry = ReverseWaterFilling(variances: [3, 1], bits: 0)
    #expect(dry.rates == [0, 0] && dry.errors == [3, 1])
    let flat = ReverseWaterFilling(variances: [0, 0], bits: 5)
    #expect(flat.rates == [0, 0] && flat.errors == [0, 0])
  }

  @Test("the quantizers of a normal distribution are Lloyd's and Max's") func gaussian() throws {
    for golden in try CompressionGolden.all.get().gaussian {
      let found = ScalarQuantizer.gaussian(bits: golden.bits).levels
      #expect(found.count == golden.levels.count)
      #expect(zip(found, golden.levels).allSatisfy { abs($0 - $1) < 1e-6 }, "\(golden.bits) bits: \(found)")
    }
    // Max's table.
    let two = ScalarQuantizer.gaussian(bits: 1, mean: 5, deviation: 2).levels
    #expect(abs(two[0] - (5 - 2 * 0.7979)) < 1e-3 && abs(two[1] - (5 + 2 * 0.7979)) < 1e-3)
  }

  @Test("fitting never raises the error, and finds separate clusters") func fitting() {
    let numbers = SortedNumbers(CompressionGolden.numbers(500, 1).map { $0 > 0 ? 3 + $0 : $0 - 3 })
    for bits in 0...5 {
      let start = ScalarQuantizer.gaussian(bits: bits, mean: numbers.mean, deviation: numbers.variance.squareRoot())
      let fitted = ScalarQuantizer(fitting: numbers, from: start)
      #expect(numbers.error(of: fitted) <= numbers.error(of: start))
      #expect(fitted.levels == fitted.levels.sorted() && fitted.levels.count == 1 << bits)
    }
    let two = ScalarQuantizer(fitting: numbers, from: .gaussian(bits: 1))
    #expect(numbers.error(of: two) < 0.03 && two.levels[0] < -3 && two.levels[1] > 3)
  }

  @Test("equal numbers are quantized without error") func constant() {
    let numbers = SortedNumbers([2, 2, 2])
    let fitted = ScalarQuantizer(fitting: numbers, from: .gaussian(bits: 2, mean: 2, deviation: 0))
    #expect(numbers.error(of: fitted) == 0 && fitted.levels.allSatisfy { $0 == 2 })
  }
}
