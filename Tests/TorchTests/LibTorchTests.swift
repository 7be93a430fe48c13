import Testing
import Torch

@Suite("libtorch's process")
struct LibTorchTests {
  @Test("tuning the process may be repeated, and tensors from before it stay")
  func tuning() throws {
    let before = try Tensor.full([1000, 1000], 2)
    for _ in 0..<2 { try LibTorch.tuneProcess() }
    let after = try before + Tensor.full([1000, 1000], 1)
    #expect(try after.array(Float.self).allSatisfy { $0 == 3 })
    #expect(try before.array(Float.self).allSatisfy { $0 == 2 })
  }
}
