import DDN
import DDNData
import DDNTraining
import Torch

/// A pyramid network with random weights on random images; values hardly affect speed.
public struct PyramidWork: Encodable, Sendable {
  public let job: NetworkWork.Job
  /// All levels; the original's network is built from them.
  public let pyramid: [PyramidLevel]
  public let batch: Int
  /// Images or codes in the case file.
  public let images: Int
  private let configuration: PyramidNetwork.Configuration

  private enum CodingKeys: CodingKey { case job, pyramid, batch, images }

  /// Batches that the original cycles through.
  private static let trainingBatches = 8

  init(_ job: NetworkWork.Job, _ configuration: PyramidNetwork.Configuration, batch: Int) {
    self.job = job
    self.configuration = configuration
    self.batch = batch
    pyramid = configuration.levels
    images = job == .train ? Self.trainingBatches * batch : batch
  }

  var name: String {
    let (side, nodes) = (configuration.resolution, pyramid.map(\.nodes).max()!)
    return "\(job.rawValue) pyramid \(side)x\(side) K=\(nodes) L=\(pyramid.count) B=\(batch)"
  }

  func prepare(_ machine: Machine) throws -> PreparedRow {
    switch job {
    case .train: try prepareTraining(machine)
    case .encode: try prepareEncoding(machine)
    case .generate: try prepareGenerating(machine)
    }
  }

  private func prepareTraining(_ machine: Machine) throws -> PreparedRow {
    var options = TrainingOptions(network: .pyramid(configuration), images: .max, batch: batch, chainDropout: 0)
    options.precision = machine.precision
    let dataset = try makeImages()
    let trainer = try Trainer(options, data: TrainingImages(dataset, device: machine.device), device: machine.device)
    try Self.randomize(trainer.network)
    return PreparedRow(
      makeCase: {
        trainer.network.setMode(.evaluation)
        defer { trainer.network.setMode(.training) }
        return try reconstructionCase(dataset, trainer.data, trainer.network)
      }, run: { try NetworkWork.step(trainer) })
  }

  private func prepareEncoding(_ machine: Machine) throws -> PreparedRow {
    let network = try makeNetwork(machine)
    let dataset = try makeImages()
    let data = try TrainingImages(dataset, device: machine.device)
    return PreparedRow(
      makeCase: { try reconstructionCase(dataset, data, network) },
      run: { _ = try Reconstruction(of: data.batch(Array(0..<batch)).images, by: network) })
  }

  private func prepareGenerating(_ machine: Machine) throws -> PreparedRow {
    let network = try makeNetwork(machine)
    let codes = (0..<UInt64(images)).map { LatentCode(seed: $0, in: network.codeSpace) }
    return PreparedRow(
      makeCase: { try caseWeights(network).merging(network.decodingCase(codes)) { $1 } },
      run: { _ = try network.decode(codes) })
  }

  func makeNetwork(_ machine: Machine) throws -> PyramidNetwork {
    let network = try PyramidNetwork(configuration, generator: Generator(seed: 0))
    try Self.randomize(network)
    try network.move(to: machine.device)
    return network
  }

  /// Gives every parameter a magnitude that affects the output, so that the comparison detects mistakes in any level.
  ///
  /// Initially blocks contribute almost nothing, norms and biases nothing. Nodes are small, so that images stay within
  /// a few times [-1, 1] after many levels. Norms are small and biases large, so that blocks do not amplify rounding
  /// errors over 127 levels.
  private static func randomize(_ network: any DiscreteDistributionNetwork) throws {
    let generator = try Generator(seed: 1)
    try withoutGradients {
      for (name, parameter) in network.namedParameters() {
        let shape = parameter.tensor.shape
        let numbers = try Tensor.uniform(shape, generator: generator) * 2 - 1  // [-1, 1)
        let values =
          if name.hasSuffix("layer.weight") {  // [K C, F, 1, 1]
            try numbers * (0.2 / Double(shape[1]).squareRoot())
          } else if shape.count == 4 {  // [out, in, k, k]
            try numbers * (6 / Double((shape[0] + shape[1]) * shape[2] * shape[3])).squareRoot()
          } else if name.hasSuffix("bias") {
            try numbers * 0.5
          } else {
            try numbers * 0.1 + 0.5
          }
        try parameter.tensor.copy(from: values)
      }
    }
  }

  /// Smooth random images.
  func makeImages() throws -> ImageDataset {
    let (channels, side) = (configuration.imageChannels, configuration.resolution)
    let coarse = try Tensor.uniform([images, channels, 4, 4], generator: Generator(seed: 2))
    let pixels = try (coarse.resizedBilinear(height: side, width: side) * 255).to(.uint8)
    return ImageDataset(name: "random images", channels: channels, side: side, pixels: try pixels.array())
  }

  func caseWeights(_ network: any DiscreteDistributionNetwork) -> [String: Tensor] {
    network.caseWeights { OriginalNames.pyramid($0, levels: pyramid) }
  }

  /// All images, and the reconstruction of the first batch.
  private func reconstructionCase(
    _ dataset: ImageDataset, _ data: TrainingImages, _ network: any DiscreteDistributionNetwork
  ) throws -> [String: Tensor] {
    let first = try Reconstruction(of: data.batch(Array(0..<batch)).images, by: network)
    let all = try Tensor(dataset.cachedPixels!, shape: [images] + dataset.imageShape)
    return try caseWeights(network).merging(first.expectedOfCase) { $1 }.merging(["input.images": all]) { $1 }
  }
}
