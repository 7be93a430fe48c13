import Torch

extension DenseNetwork {
  /// Images that nodes are fitted to.
  private static let sampleCount = 4096

  /// Sets the features of every level to the principal axes of what the levels before leave of the images, and the nodes
  /// to the centres of these residuals by k-means: a residual quantizer to start training from.
  ///
  /// - Parameters:
  ///   - source: the training images, at least K.
  ///   - progress: called with the finished share; throwing aborts.
  /// - Throws: `ConfigurationError` for a network with several choices a pass, gains or shared levels, or for too few
  ///   images; what the source and `progress` throw; `TorchError`.
  func fitNodes(to source: any EncodingSource, progress: (Double) throws -> Void) throws {
    guard configuration.takesFittedNodes else {
      throw ConfigurationError("initial nodes by k-means need one choice a pass, no gains and no shared levels")
    }
    let (images, classes) = try Self.sample(of: source)
    guard images.shape[0] >= configuration.nodes else {
      throw ConfigurationError(
        "initial nodes by k-means need at least \(configuration.nodes) images, not \(images.shape[0])")
    }
    let modeBefore = mode
    setMode(.evaluation)
    defer { setMode(modeBefore) }
    try withoutGradients {
      let (target, generator) = (Target(images), try Generator(seed: 0, device: device))
      let chooser = NearestChooser(target)
      let coefficients = try target.projected(on: principal).coefficients.reshaped([images.shape[0], -1])
      var run = try begin(samples: images.shape[0], condition: condition(classes: classes, sources: images))
      while !run.isFinished {
        let chosen = try run.chosen.map { try run.paths.perSample($0).reshaped(coefficients.shape) }
        try levels[run.level].fit(to: chosen.map { try coefficients - $0 } ?? coefficients, generator: generator)
        try run.advance(by: chooser)
        try progress(Double(run.level) / Double(configuration.levels))
      }
    }
  }
}

extension DenseNetwork {
  private static func sample(of source: any EncodingSource) throws -> (images: Tensor, classes: Tensor?) {
    let parts = try source.evenRanges(of: min(source.count, sampleCount), by: 64).map { try source.images(in: $0) }
    let classes = parts.compactMap(\.classes)
    return (try .concatenate(parts.map(\.images)), classes.isEmpty ? nil : try .concatenate(classes))
  }
}

extension DenseNetwork.Configuration {
  /// Whether its nodes can start from k-means: with one choice a pass, no gains and no shared levels.
  public var takesFittedNodes: Bool { choices == nil && gains == nil && !sharesLevels }
}

extension DenseNetwork.Pass {
  /// - Parameter residuals: `[N, P]`, what the level is to approximate.
  fileprivate func fit(to residuals: Tensor, generator: Generator) throws {
    let (count, features) = (residuals.shape[0], layer.configuration.nodeInputs)
    let doubles = try residuals.to(.float64)
    let (ascending, vectors) = try (doubles.transposed(0, 1).matmul(doubles) * (1 / Double(count))).symmetricEigen()
    let values = try ascending.array(Double.self)
    let (size, rank) = (values.count, basis?.tensor.shape[0] ?? values.count)

    // The features of every path: the first axes, each as long as the residuals along it. The part that depends on the
    // path is a third of a coefficient of the residuals.
    let used = min(features, rank)
    let axes = try vectors.slice(1, size - rank..<size).transposed(0, 1).to(.float32)  // [rank, P], ascending
    let deviations = (0..<used).map { max(values[size - 1 - $0], 1e-12).squareRoot() }
    var bias = [Float](repeating: 0, count: features * rank)
    if let basis {
      try basis.tensor.copy(from: axes)
      for feature in 0..<used { bias[feature * rank + rank - 1 - feature] = Float(deviations[feature]) }
    } else {
      let rows = try axes.array(Float.self)
      for feature in 0..<used {
        for place in 0..<rank {
          bias[feature * rank + place] = rows[(rank - 1 - feature) * rank + place] * Float(deviations[feature])
        }
      }
    }
    let scale = (values.reduce(0, +) / Double(size)).squareRoot() / 3
    try output.bias.tensor.copy(from: Tensor(bias, shape: [bias.count]))
    try output.weight.tensor.copy(from: output.weight.tensor * scale)

    // The nodes: centres of the residuals along these axes, in units of the features.
    let order = try Tensor((0..<used).map { rank - 1 - $0 }, shape: [used]).to(residuals.device)
    let first = try axes.gathered(order)  // [F, P]
    let centers = try KMeans(
      fitting: residuals.matmul(first.transposed(0, 1)), count: layer.configuration.nodes, generator: generator
    ).centers  // [K, F]
    var nodes = try centers / Tensor(deviations.map { Float($0) }, shape: [used]).to(residuals.device)
    if used < features {
      let rest = try Tensor.zeros([layer.configuration.nodes, features - used], device: residuals.device)
      nodes = try .concatenate([nodes, rest], dimension: 1)
    }
    try layer.weight.tensor.copy(from: nodes.reshaped(layer.weight.tensor.shape))
  }
}
