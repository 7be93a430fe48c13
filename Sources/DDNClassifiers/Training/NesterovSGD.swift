import Torch

/// Stochastic gradient descent with Nesterov momentum, all parameters of a group in one fused pass.
final class NesterovSGD {
  private static let fusedStep = Operator("aten::_fused_sgd_")

  /// Parameters with a common multiple of the learning rate.
  private struct Group {
    let rateFactor: Double
    var parameters: [Tensor] = []
    var momenta: [Tensor] = []
  }
  private let momentum: Double
  private let weightDecay: Double
  private var groups: [Group] = []
  private var momentumOfName: [String: Tensor] = [:]

  /// - Parameters:
  ///   - module: whose trainable parameters are updated.
  ///   - momentum: within 0..<1.
  ///   - weightDecay: added to the gradient for each unit of the weight.
  ///   - rateFactor: a parameter's multiple of the learning rate; its weight decay is divided by it.
  init(
    _ module: Module, momentum: Double, weightDecay: Double, rateFactor: (String) -> Double
  ) throws(TorchError) {
    self.momentum = momentum
    self.weightDecay = weightDecay
    for (name, parameter) in module.namedParameters() where parameter.isTrainable {
      let factor = rateFactor(name)
      let zeros = try Tensor.zeros(parameter.tensor.shape, device: parameter.tensor.device)
      momentumOfName[name] = zeros
      let index = groups.firstIndex { $0.rateFactor == factor } ?? groups.count
      if index == groups.count { groups.append(Group(rateFactor: factor)) }
      groups[index].parameters.append(parameter.tensor)
      groups[index].momenta.append(zeros)
    }
  }

  /// Updates all parameters and clears their gradients.
  func step(learningRate: Double) throws(TorchError) {
    try withoutGradients { () throws(TorchError) in
      for group in groups {
        var gradients: [Tensor] = []
        for parameter in group.parameters { gradients.append(try parameter.gradient()!) }
        try NesterovSGD.fusedStep(
          .tensors(group.parameters), .tensors(gradients), .tensors(group.momenta),
          .double(weightDecay / group.rateFactor), .double(momentum), .double(learningRate * group.rateFactor),
          .double(0), .bool(true), .bool(false), .bool(false), .none, .none)
        for parameter in group.parameters { try parameter.clearGradient() }
      }
    }
  }

  /// The momenta by the parameters' names, not copies.
  func state() -> [String: Tensor] { momentumOfName }
}
