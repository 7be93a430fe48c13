import GoldenSupport
import Testing
import Torch

@Suite("Generators")
struct GeneratorTests {
  @Test("a saved state goes on with the same numbers, in this generator or another")
  func state() throws {
    let generator = try Generator(seed: 7)
    _ = try Tensor.normal([33], generator: generator)
    let saved = try generator.state()
    func draw(_ generator: Generator) throws -> [Float] {
      try Tensor.uniform([9], generator: generator).array() + Tensor.normal([21], generator: generator).array()
        + Tensor.integers(in: 0..<100, [5], generator: generator).to(.float32).array()
    }
    let next = try draw(generator)
    #expect(try draw(generator) != next)
    try generator.setState(saved)
    #expect(try draw(generator) == next)
    let other = try Generator(seed: 8)
    try other.setState(saved)
    #expect(try draw(other) == next)
    #expect(throws: TorchError.self) { try generator.setState(.zeros([3], dtype: .uint8)) }
  }

  @Test("uniform numbers are those of torch.rand", arguments: [0, 42, 4_294_967_296, 1_099_511_627_781] as [UInt64])
  func uniform(seed: UInt64) throws {
    let golden = try Golden.safetensors("A/torch_rand.safetensors").floats("rand_seed\(seed)")
    #expect(try Tensor.uniform([2000], generator: Generator(seed: seed)).array(Float.self) == golden)
  }
}
