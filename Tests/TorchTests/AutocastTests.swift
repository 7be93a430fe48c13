import Testing
import Torch

@Suite("Autocast and grad mode") struct AutocastTests {
  @Test("Autocast makes matrix products bfloat16 inside its closure only")
  func autocast() throws {
    let matrix = try Tensor.full([4, 4], 0.5)
    let inside = try withAutocast(.bfloat16, on: .cpu) { try matrix.matmul(matrix) }
    #expect(inside.dtype == .bfloat16)
    #expect(try matrix.matmul(matrix).dtype == .float32)
    #expect(try inside.to(.float32).array(Float.self).allSatisfy { $0 == 1 })
  }

  @Test("Autocast goes off again when the closure throws")
  func autocastAfterError() throws {
    let matrix = try Tensor.full([2, 3], 1)
    #expect(throws: TorchError.self) { try withAutocast(.bfloat16, on: .cpu) { try matrix.matmul(matrix) } }
    #expect(try matrix.matmul(matrix.transposed(0, 1)).dtype == .float32)
  }

  @Test("Autocast within autocast gives back the outer one")
  func nestedAutocast() throws {
    let matrix = try Tensor.full([2, 2], 1)
    let types = try withAutocast(.bfloat16, on: .cpu) {
      let inner = try withAutocast(nil, on: .cpu) { try matrix.matmul(matrix) }
      return [inner.dtype, try matrix.matmul(matrix).dtype]
    }
    #expect(types == [.float32, .bfloat16])
    #expect(try matrix.matmul(matrix).dtype == .float32)
  }

  @Test("Nothing is recorded within withoutGradients, and recording goes on after it, also after an error")
  func gradMode() throws {
    let leaf = try Tensor.full([2], 3)
    try leaf.setRequiresGradient(true)
    #expect(try withoutGradients { try leaf * 2 }.requiresGradient == false)
    #expect(throws: TorchError.self) { try withoutGradients { try leaf + Tensor.full([3], 1) } }
    let product = try leaf * 2
    #expect(product.requiresGradient)
  }
}
