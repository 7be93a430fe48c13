import Testing
import Torch

@Suite("Modules")
struct ModuleTests {
  class Base: Module {
    let first: Linear
    init(_ generator: Generator) throws { first = try Linear(2, 3, generator: generator) }
  }

  final class Network: Base {
    let table: Parameter
    let blocks: [Base]
    let optional: LayerNorm?
    let absent: LayerNorm? = nil
    let shared: Parameter
    let note = "not a module"
    let numbers: [Int] = []

    override init(_ generator: Generator) throws {
      table = try Parameter(.zeros([4]), isTrainable: false)
      blocks = [try Base(generator), try Base(generator)]
      optional = try LayerNorm([5])
      shared = table
      try super.init(generator)
    }
  }

  static func network() throws -> Network { try Network(Generator(seed: 1)) }

  @Test("parameters are named by the properties that hold them, in order, and shared ones come once")
  func names() throws {
    let names = try Self.network().namedParameters().map(\.name)
    #expect(
      names == [
        "first.weight", "first.bias", "table", "blocks.0.first.weight", "blocks.0.first.bias", "blocks.1.first.weight",
        "blocks.1.first.bias", "optional.weight", "optional.bias",
      ])
  }

  @Test("modules are named the same way")
  func modules() throws {
    let names = try Self.network().namedModules().map(\.name)
    #expect(names == ["first", "blocks.0", "blocks.0.first", "blocks.1", "blocks.1.first", "optional"])
  }

  @Test("frozen parameters count and are not trained")
  func counts() throws {
    let network = try Self.network()
    #expect(network.parameterCount == 3 * 9 + 4 + 10)
    #expect(network.state().filter { !$0.value.requiresGradient }.map(\.key) == ["table"])
    #expect(try Adam(network, learningRate: 1).moments(of: "table") == nil)
  }

  @Test("the mode reaches every module")
  func mode() throws {
    let network = try Self.network()
    #expect(network.mode == .evaluation)
    network.setMode(.training)
    #expect(network.mode == .training && network.namedModules().allSatisfy { $0.module.mode == .training })
  }

  @Test("the same seed makes the same weights, within plus and minus one over the root of the inputs")
  func initialization() throws {
    let (one, other) = (try Self.network().state(), try Self.network().state())
    for (name, tensor) in one { #expect(try tensor.bytes() == other[name]?.bytes(), "\(name)") }
    let weights = try Linear(100, 200, generator: Generator(seed: 3)).weight.tensor.array(Float.self)
    #expect(weights.allSatisfy { abs($0) <= 0.1 })
    #expect(weights.max()! > 0.0999 && weights.min()! < -0.0999)
    #expect(abs(weights.reduce(0, +)) / Float(weights.count) < 0.001)
  }

  @Test("a moving average moves by its decay")
  func average() throws {
    let network = try Self.network()
    let average = try ExponentialMovingAverage(network)
    let (weight, copy) = (network.first.weight.tensor, average.state()["first.weight"]!)
    let before = try weight.array(Double.self)
    try withoutGradients { try weight.copy(from: weight + 1) }
    try average.update(decay: 0.75)
    for (number, old) in zip(try copy.array(Double.self), before) { #expect(abs(number - old - 0.25) < 1e-6) }
    #expect(average.state()["table"] == nil)
  }
}
