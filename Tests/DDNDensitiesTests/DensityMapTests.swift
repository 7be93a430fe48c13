import DDNFiles
import Foundation
import Images
import Testing

@testable import DDNDensities

@Suite("DensityMap") struct DensityMapTests {
  @Test(
    "every density sums to 1 without zero bins, for any number of bins", arguments: Density.allCases,
    [1, 2, 7, 100])
  func sums(density: Density, bins: Int) {
    let map = density.map(bins: bins)
    #expect(map.probabilities.count == bins * bins)
    #expect(abs(map.probabilities.reduce(0, +) - 1) < 1e-12)
    #expect(map.probabilities.allSatisfy { $0 > 0 })
  }

  @Test("the Gaussian follows the original's formula")
  func gaussian() {
    let p = Density.gaussian.map(bins: 100).probabilities
    // x^2 is equal in columns 0 and 99; a corner has exp(-2 / 0.3), the centre exp(0).
    let step = 2.0 / 99
    let middle = exp(-(2 * (step / 2) * (step / 2)) / 0.3)
    #expect(abs(p[0] / p[50 * 100 + 50] - exp(-2 / 0.3) / middle) < 1e-12)
    #expect(p[99] == p[0])
  }

  @Test("blurred circles are sharp at the top left and increasingly blurred to the bottom right")
  func blurredCircles() {
    let p = Density.blurredCircles.map(bins: 100).probabilities
    func quarter(_ row: Int, _ column: Int) -> [Double] {
      (0..<50).flatMap { r in (0..<50).map { p[(row * 50 + r) * 100 + column * 50 + $0] } }
    }
    let quarters = [quarter(0, 0), quarter(0, 1), quarter(1, 0), quarter(1, 1)]
    let highest = quarters.map { $0.max()! }
    #expect(highest[0] >= highest[1] && highest[1] > highest[2] && highest[2] > highest[3])
    let levels = quarters.map { Set($0).count }
    #expect(levels[0] == 2)
    #expect(levels[1] > 2)
    // The ring at (25, 25) has radii 5 and 10.
    #expect(p[25 * 100 + 25] < 1e-12 && p[25 * 100 + 34] > 1e-6 && p[25 * 100 + 37] < 1e-12)
  }

  @Test("the QR code has its three finder patterns and its timing patterns")
  func qrCode() {
    let rows = Density.qrCode.map(bins: 33).probabilities.map { $0 > 1e-9 }
    func isBlack(_ row: Int, _ column: Int) -> Bool { !rows[(row + 4) * 33 + column + 4] }
    for (top, left) in [(0, 0), (0, 18), (18, 0)] {
      for row in 0..<7 {
        for column in 0..<7 {
          let ring = max(abs(row - 3), abs(column - 3))
          #expect(isBlack(top + row, left + column) == (ring != 2))
        }
      }
    }
    for place in 8..<17 { #expect(isBlack(6, place) == (place % 2 == 0) && isBlack(place, 6) == (place % 2 == 0)) }
  }

  @Test("samples follow the density (chi-square test)")
  func sampling() {
    let map = Density.blurredCircles.map(bins: 20)
    let sampler = DensitySampler(map)
    var generator = SplitMix64(seed: 5)
    let draws = 200_000
    let counts = map.histogram((0..<draws).map { _ in sampler.draw(&generator) })
    var chiSquare = 0.0
    var bins = 0
    for (count, probability) in zip(counts, map.probabilities) where probability > 1e-9 {
      let expected = probability * Double(draws)
      chiSquare += (Double(count) - expected) * (Double(count) - expected) / expected
      bins += 1
    }
    // Mean bins - 1, standard deviation sqrt(2 bins); the limit is five deviations.
    #expect(chiSquare < Double(bins) + 5 * (2 * Double(bins)).squareRoot())
    #expect(zip(counts, map.probabilities).allSatisfy { $0 == 0 || $1 > 1e-9 }, "a sample in an empty bin")
  }

  @Test("histogram columns follow x, rows follow y from top to bottom")
  func histogram() {
    let map = DensityMap(name: "", height: 2, width: 3, weights: [1, 1, 1, 1, 1, 1])
    #expect(map.histogram([[-0.9, 0.9], [0.9, 0.9], [0, -0.5], [5, -5]]) == [1, 0, 1, 0, 1, 1])
  }

  @Test("divergences equal their formulas")
  func divergences() {
    let map = DensityMap(name: "", height: 1, width: 2, weights: [3, 1])
    let equal = Divergences(of: [[-0.5, 0], [0.5, 0]], from: map)
    #expect(abs(equal.kl - (0.5 * log(0.5 / 0.75) + 0.5 * log(0.5 / 0.25))) < 1e-12)
    #expect(abs(equal.tv - 0.25) < 1e-12)
    let hellinger = (pow(0.5.squareRoot() - 0.75.squareRoot(), 2) + pow(0.5.squareRoot() - 0.5, 2)) / 2
    #expect(abs(equal.hellinger - hellinger.squareRoot()) < 1e-12)
    let halves = [(0.5, 0.75), (0.5, 0.25)].map { p, q in
      let m = (p + q) / 2
      return (p * log(p / m) + q * log(q / m)) / 2
    }
    #expect(abs(equal.js - halves.reduce(0, +) / log(2)) < 1e-12)

    let same = Divergences(of: [[-0.9, 0], [-0.5, 0], [-0.1, 0], [0.5, 0]], from: map)
    for value in [same.kl, same.js, same.tv, same.hellinger] { #expect(abs(value) < 1e-7) }
  }

  @Test("resizing averages over each bin's area, fractions of pixels included")
  func areas() {
    let canvas = Canvas(height: 1, width: 3, values: [0, 3, 6])
    #expect(canvas.resized(height: 1, width: 2).values.map { ($0 * 1e9).rounded() / 1e9 } == [1, 5])
    #expect(canvas.resized(height: 2, width: 6).values == [0, 0, 3, 3, 6, 6, 0, 0, 3, 3, 6, 6])
  }

  @Test("an image becomes a density; a black one is refused")
  func images() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "densities-\(UUID().uuidString)")
    try Folder.create(folder)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (light, dark) = (folder.appending(path: "light.png"), folder.appending(path: "dark.png"))
    try Bitmap(width: 2, height: 1, channels: 1, pixels: [50, 150]).write(to: light)
    try Bitmap(width: 2, height: 1, channels: 1, pixels: [0, 0]).write(to: dark)
    let map = try DensityMap(image: light, bins: 2)
    #expect(map.name == "light")
    for (probability, expected) in zip(map.probabilities, [0.125, 0.375, 0.125, 0.375]) {
      #expect(abs(probability - expected) < 1e-12)
    }
    let error = #expect(throws: FileError.self) { try DensityMap(image: dark, bins: 2) }
    #expect(error?.kind == .invalid && error?.problem.contains("all black") == true)
  }
}
