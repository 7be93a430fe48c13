/// An exponential moving average of a module's parameters, which often gives better samples than the parameters.
public final class ExponentialMovingAverage {
  private static let interpolate = Operator("aten::_foreach_lerp_", "Scalar")

  private let names: [String]
  private let sources: [Tensor]
  private let averages: [Tensor]

  /// Starts as a copy of the module's parameters.
  ///
  /// - Parameters:
  ///   - module: whose parameters to average.
  ///   - includesFrozen: whether to average parameters without gradients, too, such as running statistics.
  public init(_ module: Module, includesFrozen: Bool = false) throws(TorchError) {
    let parameters = module.namedParameters().filter { $0.parameter.isTrainable || includesFrozen }
    names = parameters.map(\.name)
    sources = parameters.map(\.parameter.tensor)
    var copies: [Tensor] = []
    for source in sources { copies.append(try source.detached().cloned()) }
    averages = copies
  }

  /// Moves the averages towards the parameters: average = decay * average + (1 - decay) * parameter.
  public func update(decay: Double) throws(TorchError) {
    try withoutGradients { () throws(TorchError) in
      try ExponentialMovingAverage.interpolate(.tensors(averages), .tensors(sources), .double(1 - decay))
    }
  }

  /// Resets the averages to copies of the parameters.
  public func restart() throws(TorchError) { try update(decay: 0) }

  /// The averages by the parameters' names, not copies.
  public func state() -> [String: Tensor] {
    Dictionary(uniqueKeysWithValues: zip(names, averages))
  }
}
