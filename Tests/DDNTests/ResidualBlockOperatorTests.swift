import Foundation
import GoldenSupport
import Testing
import Torch

@testable import DDN

/// The fused norm, SiLU and convolution, compared to separate operations.
@Suite("Residual block operators")
struct ResidualBlockOperatorTests {
  /// Half a block and its inputs, all leaves with gradients.
  struct Case {
    let features, extra: Tensor
    let norm: GroupNorm
    let convolution: Convolution
    let channels: [Int]
    let doubles: Bool
    var leaves: [Tensor] {
      [features, extra] + [norm.weight, norm.bias, convolution.weight, convolution.bias].map(\.tensor)
    }

    init(
      batch: Int, inputs: Int, outputs: Int, height: Int, width: Int, doubles: Bool = false, channels: [Int] = [0, 2]
    ) throws {
      let generator = try Generator(seed: 7)
      func normal(_ shape: [Int]) throws -> Tensor { try .normal(shape, generator: generator) }
      features = try normal([batch, inputs, height, width]) * 0.7 + 0.4
      extra = try normal([batch, channels.count, height, width])
      norm = try GroupNorm(groups: ResidualBlock.groups(channels: inputs), channels: inputs, epsilon: 1e-6)
      convolution = try Convolution(
        weight: normal([outputs, inputs, 3, 3]) * 0.2, bias: normal([outputs]) * 0.1, padding: 1)
      (self.doubles, self.channels) = (doubles, channels)
      try withoutGradients {
        try norm.weight.tensor.copy(from: normal([inputs]) * 0.1 + 1)
        try norm.bias.tensor.copy(from: normal([inputs]) * 0.1)
      }
      for leaf in [features, extra] { try leaf.setRequiresGradient(true) }
    }

    func addition() throws -> ChannelAddition {
      try ChannelAddition(
        channels.enumerated().map { index, channel in
          ChannelAddition(try extra.slice(1, index..<index + 1), at: channel)
        })
    }

    func fused() throws -> Tensor {
      try ResidualBlock.convolved(features, addition(), norm, convolution, doublesPixels: doubles)
    }

    func stepByStep() throws -> Tensor {
      var sum = features
      for (index, channel) in channels.enumerated() {
        let shape = features.shape
        let before = try Tensor.zeros([shape[0], channel, shape[2], shape[3]])
        let after = try Tensor.zeros([shape[0], shape[1] - channel - 1, shape[2], shape[3]])
        sum = try sum + .concatenate([before, extra.slice(1, index..<index + 1), after], dimension: 1)
      }
      var hidden = try norm(sum).silu()
      if doubles { hidden = try hidden.pixelsDoubled() }
      return try convolution(hidden)
    }

    /// The output, and the gradients of its product with a fixed tensor.
    func run(_ body: () throws -> Tensor) throws -> [Tensor] {
      for leaf in leaves { try leaf.clearGradient() }
      let output = try body()
      try output.backward(Tensor.normal(output.shape, generator: Generator(seed: 8)).to(output.dtype))
      return try [output] + leaves.map { try #require(try $0.gradient()) }
    }
  }

  static let shapes: [[Int]] = [
    // batch, inputs, outputs, height, width
    [4, 32, 16, 16, 16], [3, 256, 32, 4, 4], [2, 8, 8, 32, 32],
    [2, 12, 20, 5, 7], [5, 16, 8, 1, 1], [1, 8, 4, 2, 2], [1, 8, 4, 3, 11],  // partial vectors
    [2, 4, 4, 8, 16],  // one group, not square
    // With half of the multiplications.
    [4, 32, 20, 16, 32], [3, 20, 36, 18, 32], [2, 16, 16, 22, 48], [1, 16, 52, 64, 64], [9, 36, 24, 13, 32],
  ]

  @Test("output and gradients equal those of separate operations", arguments: shapes, [false, true])
  func agreement(shape: [Int], doubles: Bool) throws {
    let example = try Case(
      batch: shape[0], inputs: shape[1], outputs: shape[2], height: shape[3], width: shape[4], doubles: doubles)
    let fused = try example.run(example.fused)
    let expected = try example.run(example.stepByStep)
    for (index, (got, wanted)) in zip(fused, expected).enumerated() {
      #expect(try deviation(of: got, from: wanted) <= 1e-5, "\(index)")
    }
  }

  @Test("repeated channels get both additions, and both get the gradient")
  func overlap() throws {
    let example = try Case(batch: 2, inputs: 8, outputs: 8, height: 8, width: 8, channels: [3, 4, 7, 3])
    let fused = try example.run(example.fused)
    let expected = try example.run(example.stepByStep)
    for (got, wanted) in zip(fused, expected) { #expect(try deviation(of: got, from: wanted) <= 1e-5) }
  }

  @Test(
    "in bfloat16 it is as near to float32 as separate operations", arguments: [shapes[0], shapes[3]], [false, true])
  func bfloat16(shape: [Int], doubles: Bool) throws {
    let example = try Case(
      batch: shape[0], inputs: shape[1], outputs: shape[2], height: shape[3], width: shape[4], doubles: doubles)
    let exact = try example.run(example.stepByStep)
    let fused = try withPrecision(.bfloat16, on: .cpu) { try example.run(example.fused) }
    let expected = try withPrecision(.bfloat16, on: .cpu) { try example.run(example.stepByStep) }
    #expect(fused[0].dtype == .bfloat16)
    for (index, ((got, rough), wanted)) in zip(zip(fused, expected), exact).enumerated() {
      let (ours, theirs) = try (
        deviation(of: got.to(.float32), from: wanted), deviation(of: rough.to(.float32), from: wanted)
      )
      #expect(ours > 0 && ours <= max(2 * theirs, 1e-2), "\(index)")
    }
  }

  /// Like other devices.
  @Test("dtypes that the kernel does not support use libtorch's operators", arguments: [false, true])
  func operators(doubles: Bool) throws {
    let example = try Case(batch: 3, inputs: 16, outputs: 8, height: 6, width: 6, doubles: doubles)
    let leaves = try example.leaves.map { try $0.detached().to(.float64) }
    for leaf in leaves { try leaf.setRequiresGradient(true) }
    let (features, extra, scale, shift) = (leaves[0], leaves[1], leaves[2], leaves[3])
    func run(_ output: Tensor) throws -> [Tensor] {
      for leaf in leaves { try leaf.clearGradient() }
      try output.backward(Tensor.normal(output.shape, generator: Generator(seed: 8)).to(.float64))
      return try [output] + leaves.map { try #require(try $0.gradient()) }
    }
    let fused = try Operator("ddn::group_norm_silu_convolution").tensor(
      .tensor(features), .tensor(extra), .ints([0, 2]), .tensor(scale), .tensor(shift), .int(example.norm.groups),
      .double(1e-6), .tensor(leaves[4]), .tensor(leaves[5]), .bool(doubles))
    let none = try Tensor.zeros([3, 1, 6, 6]).to(.float64)
    let rest = try Tensor.zeros([3, 13, 6, 6]).to(.float64)
    let spread = try Tensor.concatenate(
      [extra.slice(1, 0..<1), none, extra.slice(1, 1..<2), rest], dimension: 1)
    var hidden = try (features + spread).groupNormalized(
      groups: example.norm.groups, weight: scale, bias: shift, epsilon: 1e-6
    ).silu()
    if doubles { hidden = try hidden.pixelsDoubled() }
    let expected = try hidden.convolved(leaves[4], bias: leaves[5], padding: 1)
    for (got, wanted) in zip(try run(fused), try run(expected)) {
      #expect(got.dtype == .float64)
      #expect(try deviation(of: got, from: wanted) <= 1e-12)
    }
  }

  @Test("without gradients the output is bit-identical")
  func unrecorded() throws {
    let example = try Case(batch: 9, inputs: 8, outputs: 16, height: 16, width: 16)
    let recorded = try example.fused().array(Float.self)
    #expect(try withoutGradients { try example.fused().array(Float.self) } == recorded)
  }

  /// Except on older processors, where libtorch's convolution may round differently.
  @Test(
    "an image's output does not depend on the images beside it",
    .disabled(if: ProcessInfo.processInfo.environment["ATEN_CPU_CAPABILITY"] == "default"), arguments: [16, 32])
  func independence(side: Int) throws {
    let example = try Case(batch: 11, inputs: 32, outputs: 24, height: side, width: side)
    func half(_ samples: Range<Int>) throws -> [Float] {
      try withoutGradients {
        try ResidualBlock.convolved(
          example.features.slice(0, samples), nil, example.norm, example.convolution
        ).array(Float.self)
      }
    }
    let all = try half(0..<11)
    for sample in [0, 5, 10] {
      let count = all.count / 11
      #expect(try half(sample..<sample + 1) == Array(all[sample * count..<(sample + 1) * count]))
    }
  }

  @Test("strided features give the same output")
  func views() throws {
    let example = try Case(batch: 2, inputs: 8, outputs: 8, height: 16, width: 16)
    let view = try Tensor.normal([2, 16, 16, 8], generator: Generator(seed: 1)).transposed(1, 3)
    func half(_ features: Tensor) throws -> [Float] {
      try ResidualBlock.convolved(features, example.addition(), example.norm, example.convolution).array(Float.self)
    }
    #expect(try half(view) == half(view.cloned().reshaped([2, 8, 16, 16])))
  }

  @Test("NaN and infinity are preserved in bfloat16")
  func numbersThatAreNone() throws {
    let example = try Case(batch: 1, inputs: 8, outputs: 8, height: 4, width: 4)
    for number in [Double.nan, .infinity] {
      let features = try example.features.detached() * 0 + number
      let output = try withPrecision(.bfloat16, on: .cpu) {
        try ResidualBlock.convolved(features, nil, example.norm, example.convolution)
      }
      #expect(try output.to(.float32).array(Float.self).allSatisfy { $0.isNaN })
    }
  }

  @Test("mismatched shapes are errors")
  func misfits() throws {
    let example = try Case(batch: 2, inputs: 8, outputs: 8, height: 8, width: 8)
    let other = try Case(batch: 2, inputs: 12, outputs: 8, height: 8, width: 8)
    let smaller = try Case(batch: 2, inputs: 8, outputs: 8, height: 4, width: 4)
    #expect(throws: TorchError.self) {
      try ResidualBlock.convolved(example.features, nil, other.norm, example.convolution)
    }
    #expect(throws: TorchError.self) {
      try ResidualBlock.convolved(example.features, nil, example.norm, other.convolution)
    }
    #expect(throws: TorchError.self) { try example.features.adding(smaller.addition()) }
    #expect(throws: TorchError.self) { try example.features.adding(ChannelAddition(example.extra, at: 7)) }
  }
}
