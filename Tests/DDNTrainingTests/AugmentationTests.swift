import DDN
import Testing
import Torch

@testable import DDNTraining

@Suite("Variations of training images") struct AugmentationTests {
  private static let side = 32

  /// `[B, 1, 32, 32]`: a bright square of 8 x 8 in the middle, on gray.
  private static func squares(_ count: Int) throws -> Tensor {
    let values = (0..<side * side).map { place in
      let (row, column) = (place / side, place % side)
      return (12..<20).contains(row) && (12..<20).contains(column) ? Float(0.5) : -0.5
    }
    return try Tensor((0..<count).flatMap { _ in values }, shape: [count, 1, side, side])
  }

  private static func varied(_ images: Tensor, _ strength: Double, seed: UInt64 = 1) throws -> [[Float]] {
    try varied(images, Augmentation.Strengths(whole: strength), seed: seed)
  }

  private static func varied(
    _ images: Tensor, _ strengths: Augmentation.Strengths, seed: UInt64 = 1
  ) throws -> [[Float]] {
    let found = try Augmentation(strengths)(images, generator: Generator(seed: seed))
    #expect(found.shape == images.shape)
    let values = try found.array(Float.self)
    return stride(from: 0, to: values.count, by: side * side).map { Array(values[$0..<$0 + side * side]) }
  }

  @Test("strength 0 leaves every bit") func none() throws {
    let images = try Self.squares(3)
    #expect(try Self.varied(images, 0).flatMap { $0 } == images.array(Float.self))
  }

  @Test("images vary apart from each other, the same for the same seed, and stay in range", arguments: [0.5, 1, 4])
  func range(strength: Double) throws {
    let images = try Self.squares(20)
    let found = try Self.varied(images, strength)
    #expect(Set(found).count == 20)
    #expect(try found == Self.varied(images, strength))
    #expect(try found != Self.varied(images, strength, seed: 2))
    #expect(found.allSatisfy { $0.allSatisfy { (-1...1).contains($0) } })
  }

  @Test("the middle moves by up to 3% of the side, in all directions, and sizes change by up to 6%") func moves() throws
  {
    let images = try Self.varied(Self.squares(300), 1)
    // Of the brightness above the corner's: middle and spread by row and column.
    let moments = images.map { image in
      let background = image[0]
      var (weight, down, across, square) = (0.0, 0.0, 0.0, 0.0)
      for (place, value) in image.enumerated() {
        let mass = Double(max(value - background - 0.1, 0))
        let (row, column) = (Double(place / Self.side) - 15.5, Double(place % Self.side) - 15.5)
        weight += mass
        down += mass * row
        across += mass * column
        square += mass * (row * row + column * column)
      }
      let (middleDown, middleAcross) = (down / weight, across / weight)
      let spread = square / weight - middleDown * middleDown - middleAcross * middleAcross
      return (middleDown, middleAcross, spread.squareRoot())
    }
    let limit = 0.03 * Double(Self.side)
    for axis in [moments.map(\.0), moments.map(\.1)] {
      #expect(axis.max()! > 0.8 * limit && axis.max()! < 1.15 * limit)
      #expect(axis.min()! < -0.8 * limit && axis.min()! > -1.15 * limit)
    }
    let spreads = moments.map(\.2)
    let ratio = spreads.max()! / spreads.min()!
    #expect(ratio > 1.06 && ratio < 1.06 / 0.94 * 1.05)
  }

  @Test("contrast and brightness change within their limits") func shades() throws {
    let images = try Self.varied(Self.squares(300), 1)
    let contrasts = images.map { Double($0[16 * Self.side + 16] - $0[0]) }
    let middles = images.map { Double($0[16 * Self.side + 16] + $0[0]) / 2 }
    #expect(contrasts.max()! > 1.1 && contrasts.max()! <= 1.16 && contrasts.min()! < 0.9 && contrasts.min()! >= 0.84)
    #expect(middles.max()! > 0.08 && middles.max()! <= 0.105 && middles.min()! < -0.08 && middles.min()! >= -0.105)
  }

  @Test("a bend, a shade and a mix vary images apart from each other, the same for the same seed, and stay in range")
  func kinds() throws {
    let noise = try (Tensor.normal([20, 1, 32, 32], generator: Generator(seed: 9)) * 0.3).clamped(-1...1)
    for strengths in [Augmentation.Strengths(warp: 0.02), .init(shade: 0.2), .init(mix: 0.5)] {
      let found = try Self.varied(noise, strengths)
      #expect(Set(found).count == 20)
      #expect(try found == Self.varied(noise, strengths))
      #expect(try found != Self.varied(noise, strengths, seed: 2))
      #expect(found.allSatisfy { $0.allSatisfy { (-1...1).contains($0) } })
    }
  }

  @Test("a bend moves the square's edges by its deviation, and keeps its brightness") func bend() throws {
    let images = try Self.varied(Self.squares(400), Augmentation.Strengths(warp: 0.02))
    // The sum of a column through the middle grows by as many bright pixels as its two edges move apart.
    let growths = images.map { image in
      (0..<Self.side).reduce(0.0) { $0 + Double(image[$1 * Self.side + 16]) + 0.5 } - 8
    }
    let deviation = (growths.map { $0 * $0 }.reduce(0, +) / 400).squareRoot()
    // 0.02 of 32 pixels is 0.64 at places of the grid, less between them; the two edges move together in part.
    #expect((0.15...0.9).contains(deviation))
    #expect(images.allSatisfy { abs($0[16 * Self.side + 16] - 0.5) < 0.1 && abs($0[0] + 0.5) < 0.02 })
  }

  @Test("a shade multiplies by 1 on average, with its deviation at a corner") func shade() throws {
    let images = try Self.varied(Self.squares(2000), Augmentation.Strengths(shade: 0.1))
    let factors = images.map { Double($0[0]) / -0.5 }
    let mean = factors.reduce(0, +) / 2000
    let deviation = (factors.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 2000).squareRoot()
    #expect(abs(mean - 1) < 0.01 && abs(deviation - 0.1) < 0.01)
  }

  @Test("a mix is of two images and keeps the batch's mean and variance") func mix() throws {
    let noise = try Tensor.normal([256, 1, 32, 32], generator: Generator(seed: 9)) * 0.2
    let before = try noise.array(Float.self)
    let after = try Self.varied(noise, Augmentation.Strengths(mix: 0.7)).flatMap { $0 }
    func variance(_ numbers: [Float]) -> Double {
      numbers.reduce(0) { $0 + Double($1) * Double($1) } / Double(numbers.count)
    }
    #expect(abs(variance(after) / variance(before) - 1) < 0.01)
    // The squared weights of the image itself and of the next are those of a cosine and a sine.
    let count = Self.side * Self.side
    func weight(_ image: Int, of other: Int) -> Double {
      let pairs = zip(after[image * count..<(image + 1) * count], before[other * count..<(other + 1) * count])
      return pairs.reduce(0) { $0 + Double($1.0) * Double($1.1) } / (0.04 * Double(count))
    }
    for image in 0..<255 {
      let (own, next) = (weight(image, of: image), weight(image, of: image + 1))
      #expect(abs(own * own + next * next - 1) < 0.35)
    }
  }
}
