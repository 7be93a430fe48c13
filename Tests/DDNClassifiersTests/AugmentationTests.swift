import Testing
import Torch

@testable import DDNClassifiers

@Suite("Random changes of training images")
struct AugmentationTests {
  /// `[B, 2, 4, 4]`, all values different.
  private static func images(_ count: Int) throws -> Tensor {
    try Tensor((0..<count * 32).map { Float($0) }, shape: [count, 2, 4, 4])
  }

  @Test("without shift and mirror images stay as they are") func nothing() throws {
    let images = try Self.images(5)
    let augmentation = Augmentation(shift: 0, mirrors: false, blurShare: 0)
    let found = try augmentation(images, generator: Generator(seed: 1))
    #expect(try found.array(Float.self) == images.array(Float.self))
  }

  @Test("mirroring turns about half of the images around, each as a whole") func mirrors() throws {
    let count = 200
    let images = try Self.images(count)
    let found: [Float] = try Augmentation(shift: 0, mirrors: true, blurShare: 0)(images, generator: Generator(seed: 1))
      .array()
    let before: [Float] = try images.array()
    var mirrored = 0
    for image in 0..<count {
      let old = Array(before[image * 32..<(image + 1) * 32])
      let new = Array(found[image * 32..<(image + 1) * 32])
      let reversed: [Float] = stride(from: 0, to: 32, by: 4).flatMap { old[$0..<$0 + 4].reversed() }
      #expect(new == old || new == reversed)
      if new == reversed { mirrored += 1 }
    }
    #expect((70...130).contains(mirrored))
  }

  @Test("shifts move whole images by every distance up to the largest") func shifts() throws {
    // Column and row numbers, as two channels.
    let side = 6
    let one = (0..<side * side).map { Float($0 % side) } + (0..<side * side).map { Float($0 / side) }
    let images = try Tensor((0..<100).flatMap { _ in one }, shape: [100, 2, side, side])
    let found: [Float] = try Augmentation(shift: 1, mirrors: false, blurShare: 0)(images, generator: Generator(seed: 2))
      .array()
    var seen = Set<[Float]>()
    for image in 0..<100 {
      let start = image * 2 * side * side
      // Away from the border, which is reflected.
      let (column, row) = (found[start + side + 1], found[start + side * side + side + 1])
      for y in 1..<side - 1 {
        for x in 1..<side - 1 {
          #expect(found[start + y * side + x] == column + Float(x - 1))
          #expect(found[start + side * side + y * side + x] == row + Float(y - 1))
        }
      }
      seen.insert([column, row])
    }
    #expect(seen.count == 9)
  }

  @Test("blurring takes detail from the share of images, and keeps their means") func blur() throws {
    let images = try Tensor.normal([40, 1, 8, 8], generator: Generator(seed: 3))
    let found = try Augmentation(shift: 0, mirrors: false, blurShare: 0.3).blurred(images)
    #expect(found.shape == [40, 1, 8, 8])
    // 4 images of each of the sizes 1, 2, 4.
    #expect(try found.slice(0, 12..<40).array(Float.self) == images.slice(0, 12..<40).array(Float.self))
    let constant: [Float] = try found.slice(0, 0..<4).reshaped([4, 64]).array()
    let means: [Float] = try images.slice(0, 0..<4).mean([1, 2, 3]).array()
    for image in 0..<4 { #expect(constant[image * 64..<(image + 1) * 64].allSatisfy { abs($0 - means[image]) < 1e-5 }) }
    let spread: [Float] = try found.slice(0, 4..<12).reshaped([8, 64]).array()
    #expect((0..<8).allSatisfy { Set(spread[$0 * 64..<($0 + 1) * 64]).count > 4 })
  }
}
