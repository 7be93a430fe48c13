import GoldenSupport
import Testing
import Torch

@testable import DDN

/// The fused operator, held to the three operations for many shapes.
@Suite("Layer norm, convolution and SiLU")
struct LayerNormConvolutionSiluTests {
  /// The operator's inputs, leaves with gradients.
  struct Case {
    let input, scale, shift, weight, bias: Tensor
    var leaves: [Tensor] { [input, scale, shift, weight, bias] }

    init(batch: Int, inputs: Int, outputs: Int, height: Int, width: Int) throws {
      let generator = try Generator(seed: 7)
      func normal(_ shape: [Int]) throws -> Tensor { try .normal(shape, generator: generator) }
      input = try normal([batch, inputs, height, width])
      scale = try normal([inputs, height, width]) * 0.1 + 1
      shift = try normal([inputs, height, width]) * 0.1
      weight = try normal([outputs, inputs, 3, 3]) * 0.2
      bias = try normal([outputs]) * 0.1
      for leaf in leaves { try leaf.setRequiresGradient(true) }
    }

    func fused() throws -> Tensor {
      try input.normConvolutionSilu(scale: scale, shift: shift, weight: weight, bias: bias, epsilon: 1e-5)
    }

    func stepByStep() throws -> Tensor {
      try input.layerNormalized(weight: scale, bias: shift, epsilon: 1e-5)
        .convolved(weight, bias: bias, padding: 1).silu()
    }

    /// The output, and the gradients of its product with fixed numbers.
    func run(_ body: () throws -> Tensor) throws -> [Tensor] {
      for leaf in leaves { try leaf.clearGradient() }
      let output = try body()
      try output.backward(.normal(output.shape, generator: Generator(seed: 8)))
      return try [output] + leaves.map { try #require(try $0.gradient()) }
    }
  }

  static let shapes: [[Int]] = [
    // batch, inputs, outputs, height, width
    [1, 1, 8, 32, 32], [64, 8, 8, 32, 32], [3, 16, 8, 32, 32], [5, 8, 16, 16, 16], [17, 32, 16, 8, 8],
    [67, 16, 32, 4, 4], [2, 3, 5, 16, 16], [2, 5, 1, 4, 4], [1, 130, 70, 8, 8],
    [3, 4, 6, 8, 16],  // not square
    // Heights that are no multiple of a tile's, unusual widths.
    [2, 3, 5, 1, 16], [2, 3, 5, 3, 16], [2, 3, 4, 6, 8], [1, 2, 3, 16, 1], [2, 3, 4, 6, 48], [2, 3, 4, 4, 12],
    [2, 3, 4, 16, 3],
    [2, 4, 6, 5, 7], [1, 2, 3, 1, 1],  // no multiple of a vector: libtorch's operators
  ]

  @Test("output and gradients are those of norm, convolution and SiLU", arguments: shapes)
  func agreement(shape: [Int]) throws {
    let example = try Case(
      batch: shape[0], inputs: shape[1], outputs: shape[2], height: shape[3], width: shape[4])
    let fused = try example.run(example.fused)
    let expected = try example.run(example.stepByStep)
    for (got, wanted) in zip(fused, expected) {
      #expect(got.shape == wanted.shape)
      let (numbers, wantedNumbers) = (try got.array(Double.self), try wanted.array(Double.self))
      let largest = wantedNumbers.map(abs).max() ?? 0
      let difference = zip(numbers, wantedNumbers).map { abs($0 - $1) }.max() ?? 0
      #expect(difference <= 3e-5 * max(largest, 1e-3))  // Nearly all of it is the rounding of libtorch's layer norm.
    }
  }

  @Test("without gradients the output has the same bits")
  func unrecorded() throws {
    let example = try Case(batch: 9, inputs: 8, outputs: 16, height: 16, width: 16)
    let recorded = try example.fused().array(Float.self)
    #expect(try withoutGradients { try example.fused().array(Float.self) } == recorded)
  }

  @Test("an image's output does not depend on the images beside it")
  func independence() throws {
    let example = try Case(batch: 50, inputs: 8, outputs: 8, height: 8, width: 8)
    let all = try withoutGradients { try example.fused() }
    for sample in [0, 1, 12, 49] {
      let one = try example.input.detached().slice(0, sample..<sample + 1).normConvolutionSilu(
        scale: example.scale, shift: example.shift, weight: example.weight, bias: example.bias, epsilon: 1e-5)
      #expect(try one.array(Float.self) == all.slice(0, sample..<sample + 1).array(Float.self))
    }
  }

  @Test(
    "huge, infinite and NaN values come out as from libtorch", arguments: [1e13, 1e14, 1e20, .infinity, .nan])
  func hugeNumbers(number: Double) throws {
    // The norm's scale is zero, so SiLU's input is the bias.
    let example = try Case(batch: 1, inputs: 2, outputs: 2, height: 8, width: 8)
    for bias in number.isFinite ? [number, -number] : [number] {
      func unit(_ body: (Tensor, Tensor) throws -> Tensor) throws -> [Float] {
        try body(.zeros([2, 8, 8]), Tensor.zeros([2]) + bias).array(Float.self)
      }
      let fused = try unit {
        try example.input.detached().normConvolutionSilu(
          scale: $0, shift: $0, weight: example.weight.detached(), bias: $1, epsilon: 1e-5)
      }
      let expected = try unit {
        try example.input.detached().layerNormalized(weight: $0, bias: $0, epsilon: 1e-5)
          .convolved(example.weight.detached(), bias: $1, padding: 1).silu()
      }
      // The sigmoid of less than -88 is 6e-39, not zero.
      #expect(
        zip(fused, expected).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) || abs($0 - $1) <= 1e-38 * Float(number) })
    }
  }

  @Test("a strided input is read correctly")
  func views() throws {
    let example = try Case(batch: 2, inputs: 8, outputs: 8, height: 16, width: 16)
    let view = try Tensor.normal([2, 16, 16, 8], generator: Generator(seed: 1)).transposed(1, 3)
    func unit(_ input: Tensor) throws -> [Float] {
      try input.normConvolutionSilu(
        scale: example.scale, shift: example.shift, weight: example.weight, bias: example.bias, epsilon: 1e-5
      ).array(Float.self)
    }
    #expect(try unit(view) == unit(view.cloned().reshaped([2, 8, 16, 16])))
  }

  /// CUDA devices take the same path.
  @Test("types without a kernel go through libtorch's operators")
  func otherTypes() throws {
    let example = try Case(batch: 3, inputs: 4, outputs: 6, height: 8, width: 8)
    let leaves = try example.leaves.map { try $0.detached().to(.float64) }
    for leaf in leaves { try leaf.setRequiresGradient(true) }
    func run(_ output: Tensor) throws -> [Tensor] {
      for leaf in leaves { try leaf.clearGradient() }
      try output.backward(Tensor.normal(output.shape, generator: Generator(seed: 8)).to(.float64))
      return try [output] + leaves.map { try #require(try $0.gradient()) }
    }
    let fused = try run(
      leaves[0].normConvolutionSilu(
        scale: leaves[1], shift: leaves[2], weight: leaves[3], bias: leaves[4], epsilon: 1e-5))
    let expected = try run(
      leaves[0].layerNormalized(weight: leaves[1], bias: leaves[2], epsilon: 1e-5)
        .convolved(leaves[3], bias: leaves[4], padding: 1).silu())
    for (got, wanted) in zip(fused, expected) {
      #expect(got.dtype == .float64)
      #expect(try deviation(of: got, from: wanted) <= 1e-12)
    }
  }

  @Test("shapes that do not fit are refused")
  func misfits() throws {
    let example = try Case(batch: 2, inputs: 8, outputs: 8, height: 16, width: 16)
    #expect(throws: TorchError.self) {
      try example.input.normConvolutionSilu(
        scale: example.scale, shift: example.shift, weight: .zeros([8, 4, 3, 3]), bias: example.bias, epsilon: 1e-5)
    }
  }

  @Test("an input that needs no gradient gets none, and weights that are used twice get both")
  func shared() throws {
    let example = try Case(batch: 3, inputs: 8, outputs: 8, height: 8, width: 8)
    let input = try Tensor.normal([3, 8, 8, 8], generator: Generator(seed: 2))
    func twice(_ unit: (Tensor) throws -> Tensor) throws -> [Tensor] {
      for leaf in example.leaves { try leaf.clearGradient() }
      try unit(unit(input)).sum().backward()
      return try example.leaves.dropFirst().map { try #require(try $0.gradient()) }
    }
    let fused = try twice {
      try $0.normConvolutionSilu(
        scale: example.scale, shift: example.shift, weight: example.weight, bias: example.bias, epsilon: 1e-5)
    }
    let expected = try twice {
      try $0.layerNormalized(weight: example.scale, bias: example.shift, epsilon: 1e-5)
        .convolved(example.weight, bias: example.bias, padding: 1).silu()
    }
    #expect(try input.gradient() == nil)
    for (got, wanted) in zip(fused, expected) { #expect(try deviation(of: got, from: wanted) <= 3e-5) }
  }

  @Test("under autocast it computes in bfloat16, near the same")
  func autocast() throws {
    let example = try Case(batch: 2, inputs: 8, outputs: 8, height: 16, width: 16)
    let exact = try withoutGradients { try example.fused() }
    let rough = try withPrecision(.bfloat16, on: .cpu) { try withoutGradients { try example.fused() } }
    #expect(rough.dtype == .bfloat16)
    let difference = try deviation(of: rough.to(.float32), from: exact)
    #expect(difference > 1e-4 && difference < 2e-2)
  }
}
