/// Adam (Kingma and Ba, 2015), all parameters in one fused pass; its moments can be read, edited and saved.
public final class Adam {
  /// Adam's state of one parameter.
  public struct Moments {
    /// Running mean of the gradient, of the parameter's shape.
    public let mean: Tensor
    /// Running mean of the squared gradient, of the parameter's shape.
    public let square: Tensor
    /// Steps taken so far, one float32.
    public let step: Tensor
  }

  private static let addToAll = Operator("aten::_foreach_add_", "Tensor")
  private static let norms = Operator("aten::_foreach_norm", "Scalar")
  private static let fusedStep = Operator("aten::_fused_adam_")

  public var learningRate: Double
  private let betas: (Double, Double)
  private let epsilon: Double
  private let parameters: [(name: String, parameter: Parameter)]
  private var momentsOfName: [String: Moments] = [:]
  /// `[2]`, skipped steps: in total, and consecutive up to now; on the gradients' device, so that no step waits.
  private var skips: Tensor?

  /// Frozen parameters of `module` are ignored.
  public init(
    _ module: Module, learningRate: Double, betas: (Double, Double) = (0.9, 0.999), epsilon: Double = 1e-8
  ) throws(TorchError) {
    self.learningRate = learningRate
    self.betas = betas
    self.epsilon = epsilon
    parameters = module.namedParameters().filter(\.parameter.isTrainable)
    for (name, parameter) in parameters {
      let (shape, device) = (parameter.tensor.shape, parameter.tensor.device)
      momentsOfName[name] = Moments(
        mean: try .zeros(shape, device: device), square: try .zeros(shape, device: device),
        step: try .zeros([], device: device))
    }
  }

  /// The moments of a parameter; nil if it is frozen or does not exist.
  public func moments(of name: String) -> Moments? { momentsOfName[name] }

  /// Clears all gradients.
  public func clearGradients() throws(TorchError) {
    for (_, parameter) in parameters { try parameter.tensor.clearGradient() }
  }

  /// Updates every parameter that has a gradient, unless any gradient is not finite; see
  /// `skippedSteps`.
  public func step() throws(TorchError) {
    try withoutGradients { () throws(TorchError) in
      var (tensors, gradients, moments): ([Tensor], [Tensor], [Moments]) = ([], [], [])
      for (name, parameter) in parameters {
        guard let gradient = try parameter.tensor.gradient() else { continue }
        tensors.append(parameter.tensor)
        gradients.append(gradient)
        moments.append(momentsOfName[name]!)
      }
      guard let first = gradients.first else { return }
      // A norm is finite if all elements are, unless squares overflow, which is no better.
      let isFinite = try Tensor.stack(Adam.norms.tensors(.tensors(gradients), .int(2))).sum().isFinite().to(.float32)
      let isSkipped = try isFinite * -1 + 1
      try countSkip(isSkipped, device: first.device)
      try Adam.addToAll(.tensors(moments.map(\.step)), .tensor(isFinite))  // The fused step reads this step's count.
      try Adam.fusedStep(
        .tensors(tensors), .tensors(gradients), .tensors(moments.map(\.mean)), .tensors(moments.map(\.square)),
        .tensors([]), .tensors(moments.map(\.step)), .double(learningRate), .double(betas.0), .double(betas.1),
        .double(0), .double(epsilon), .bool(false), .bool(false), .none, .tensor(isSkipped))
    }
  }

  private func countSkip(_ isSkipped: Tensor, device: Device) throws(TorchError) {
    if skips == nil { skips = try .zeros([2], device: device) }
    let before = skips!
    let (all, inARow) = (try before.slice(0, 0..<1), try before.slice(0, 1..<2))
    skips = try .concatenate([all + isSkipped, (inARow + 1) * isSkipped])
  }

  /// Steps skipped because of a gradient that was not finite: in total, and consecutive up to now.
  ///
  /// Copies two numbers to the host.
  public func skippedSteps() throws(TorchError) -> (all: Int, inARow: Int) {
    guard let counts = try skips?.array(Float.self) else { return (0, 0) }
    return (Int(counts[0]), Int(counts[1]))
  }

  /// The state to save, by name: `NAME.mean`, `NAME.square`, `NAME.step`.
  public func state() -> [String: Tensor] {
    var state: [String: Tensor] = [:]
    for (name, moments) in momentsOfName {
      state["\(name).mean"] = moments.mean
      state["\(name).square"] = moments.square
      state["\(name).step"] = moments.step
    }
    return state
  }
}
