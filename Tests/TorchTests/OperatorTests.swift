import Testing
import Torch

@Suite("Operators")
struct OperatorTests {
  @Test("what libtorch refuses becomes one line that names the operator")
  func errors() throws {
    let (wide, long) = (try Tensor.zeros([2, 3]), try Tensor.zeros([4, 5]))
    let generator = try Generator(seed: 1)
    let refused: [(String, () throws -> Tensor)] = [
      ("aten::add", { try wide + long }), ("aten::matmul", { try wide.matmul(long) }),
      ("aten::reshape", { try wide.reshaped([7]) }), ("aten::narrow", { try wide.slice(0, 1..<4) }),
      ("aten::cat", { try Tensor.concatenate([wide, long]) }),
      ("aten::index_select", { try wide.gathered(Tensor([9], shape: [1])) }),
      ("aten::conv2d", { try Convolution(3, 4, kernel: 3, generator: generator)(wide) }),
    ]
    for (name, body) in refused {
      let error = #expect(throws: TorchError.self) { try body() }
      #expect(error?.operation == name)
      #expect(error?.message.isEmpty == false && error?.description.contains("\n") == false)
    }
  }

  @Test("an operator that does not exist, or gets too many arguments, is refused when it is called")
  func unknown() throws {
    let error = #expect(throws: TorchError.self) { try Operator("aten::no_such_operator").tensor() }
    #expect(error?.description.contains("no_such_operator") == true)
    let tensor = try Tensor.zeros([1])
    #expect(throws: TorchError.self) { try Operator("aten::abs").tensor(.tensor(tensor), .int(1)) }
    #expect(throws: TorchError.self) { try Operator("aten::add", "Tensor").tensor(.tensor(tensor)) }
  }

  @Test("arithmetic broadcasts and reduces as its names say")
  func arithmetic() throws {
    let a = try Tensor([1, -2, 3, -4, 5, -6] as [Float], shape: [2, 3])
    let b = try Tensor([10, 20, 30] as [Float], shape: [3])
    #expect(try (a + b).array(Float.self) == [11, 18, 33, 6, 25, 24])
    #expect(try (a - b).array(Float.self) == [-9, -22, -27, -14, -15, -36])
    #expect(try (a * 2 - 1).array(Float.self) == [1, -5, 5, -9, 9, -13])
    #expect(try (b / b + 1).array(Float.self) == [2, 2, 2])
    #expect(try a.absolute().sum().item() == 21)
    #expect(try a.sum([0]).array(Float.self) == [-3, 3, -3])
    #expect(try a.mean([1], keepingDimensions: true).shape == [2, 1])
    #expect(try a.squared().mean().array(Float.self) == [91 / 6])
    #expect(try a.clamped(-3...3).array(Float.self) == [1, -2, 3, -3, 3, -3])
    #expect(try a.isLess(than: 0).selecting(b.expanded([2, 3]), else: a).array(Float.self) == [1, 20, 3, 10, 5, 30])
    #expect(try a.isUnequal(to: a.absolute()).to(.uint8).array(UInt8.self) == [0, 1, 0, 1, 0, 1])
    #expect(try a.matmul(a.transposed(0, 1)).array(Float.self) == [14, -32, -32, 77])
    #expect(try a.allFinite() && !(b / (b - b)).allFinite())
  }

  @Test("the least elements of each row are those that sorting puts first") func least() throws {
    let rows = try Tensor.normal([3, 300], generator: Generator(seed: 1))
    for count in [1, 3, 100, 300] {
      let expected = try rows.sortedIndices().slice(1, 0..<count).array(Int.self)
      #expect(try rows.leastIndices(count).array(Int.self) == expected)
    }
  }

  @Test("of equal elements argmin takes the first")
  func ties() throws {
    let rows = try Tensor([3, 1, 2, 1, 0, 0, 0, 0] as [Float], shape: [2, 4])
    #expect(try rows.argmin(1).array(Int.self) == [1, 0])
  }

  @Test("integers stay integers")
  func integers() throws {
    let numbers = try Tensor([7, -7, 12], shape: [3])
    #expect(try numbers.floorDivided(by: 5).array(Int.self) == [1, -2, 2])
    #expect(try numbers.remainder(by: 5).array(Int.self) == [2, 3, 2])
    #expect(try numbers.scaled(by: 3).array(Int.self) == [21, -21, 36])
    #expect(try numbers.scaled(by: 3).dtype == .int64)
    let (values, inverse) = try Tensor([5, 2, 5, 9], shape: [4]).unique()
    #expect(try values.array(Int.self) == [2, 5, 9] && inverse.array(Int.self) == [1, 0, 1, 2])
    let bits = try Tensor([1, -2] as [Float], shape: [2]).reinterpreted(as: .int32)
    #expect(try bits.array(Int.self) == [0x3F80_0000, -0x4000_0000])
  }

  @Test("views write through, copies do not")
  func views() throws {
    let matrix = try Tensor((0..<6).map { Float($0) }, shape: [2, 3])
    let copy = try matrix.cloned()
    try matrix.slice(1, 1..<3).copy(from: .full([2, 2], 9))
    #expect(try matrix.array(Float.self) == [0, 9, 9, 3, 9, 9])
    try matrix.copyRows(at: Tensor([1], shape: [1]), from: .zeros([1, 3]))
    #expect(try matrix.array(Float.self) == [0, 9, 9, 0, 0, 0])
    #expect(try matrix.select(0, 0).array(Float.self) == [0, 9, 9])
    #expect(try copy.array(Float.self) == [0, 1, 2, 3, 4, 5])
    let scattered = try matrix.scattering(7, at: Tensor([0, 2], shape: [2, 1]), dimension: 1)
    #expect(try scattered.array(Float.self) == [7, 9, 9, 0, 0, 7])
  }

  @Test("gradients are what finite differences say")
  func autograd() throws {
    let generator = try Generator(seed: 2)
    let input = try Tensor.normal([2, 3, 5, 5], generator: generator).to(.float64)
    let weight = try Tensor.normal([4, 3, 3, 3], generator: generator).to(.float64)
    let scale = try Tensor.full([4, 5, 5], 1.5, dtype: .float64)
    let shift = try Tensor.zeros([4, 5, 5], dtype: .float64)
    func value() throws -> Tensor {
      try input.convolved(weight, bias: nil, padding: 1).layerNormalized(weight: scale, bias: shift, epsilon: 1e-5)
        .silu().squared().mean()
    }
    try weight.setRequiresGradient(true)
    try value().backward()
    let gradient = try #require(try weight.gradient()).array(Double.self)
    let step = 1e-5
    for index in stride(from: 0, to: 108, by: 7) {
      func moved(_ distance: Double) throws -> Double {
        try withoutGradients {
          let element = try weight.reshaped([108]).slice(0, index..<index + 1)
          try element.copy(from: element + distance)
          defer { try? element.copy(from: element + -distance) }
          return try value().item()
        }
      }
      let expected = try (moved(step) - moved(-step)) / (2 * step)
      #expect(abs(gradient[index] - expected) < 1e-8, "element \(index)")
    }
  }

  @Test("nothing is recorded without gradients, and gradients add up until they are cleared")
  func recording() throws {
    let leaf = try Tensor([2] as [Float], shape: [1])
    try leaf.setRequiresGradient(true)
    #expect(try withoutGradients { try leaf.squared() }.requiresGradient == false)
    #expect(try leaf.gradient() == nil)
    for _ in 0..<2 { try leaf.squared().backward(Tensor([3] as [Float], shape: [1])) }
    #expect(try leaf.gradient()?.item() == 24)
    try leaf.clearGradient()
    #expect(try leaf.gradient() == nil)
    #expect(throws: TorchError.self) { try Tensor([1], shape: [1]).setRequiresGradient(true) }
    #expect(throws: TorchError.self) { try withoutGradients { try leaf.squared() }.backward() }
  }
}
