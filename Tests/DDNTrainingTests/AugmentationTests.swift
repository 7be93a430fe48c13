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
    let found = try Augmentation(strength: strength)(images, generator: Generator(seed: seed))
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
}
