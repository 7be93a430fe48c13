import DDN
import DDNData
import DDNTraining
import Foundation
import Torch

/// A Recurrence Iteration network on the shipped digits.
public struct NetworkWork: Encodable, Sendable {
  public enum Job: String, Encodable, Sendable {
    /// One step: forward, backward, Adam, Split-and-Prune.
    case train
    /// Images to codes.
    case encode
    /// Codes to images.
    case generate
  }

  public let job: Job
  /// K.
  public let nodes: Int
  /// L.
  public let levels: Int
  /// Channels at full resolution.
  public let width: Int
  /// Batch size here; the original may use a faster one.
  public let batch: Int
  /// Digits or codes in the case file.
  public let images: Int
  /// The shipped model with the initial weights, so that node use is balanced; nil for random weights and a warm-up.
  public let model: String?
  /// Whether the original's U-Net is compiled.
  public let isOriginalCompiled: Bool

  /// Digits to compare results on.
  private static let checkedDigits = 512
  /// Steps after which random weights have balanced node use.
  private static let warmupSteps = 40
  /// Batches that the original cycles through.
  private static let trainingBatches = 8

  static func train(
    nodes: Int, levels: Int, width: Int = 8, batch: Int, model: String?, isOriginalCompiled: Bool = false
  ) -> NetworkWork {
    NetworkWork(
      job: .train, nodes: nodes, levels: levels, width: width, batch: batch, images: trainingBatches * batch,
      model: model, isOriginalCompiled: isOriginalCompiled)
  }

  static func encode(nodes: Int, levels: Int, images: Int, batch: Int, model: String) -> NetworkWork {
    NetworkWork(
      job: .encode, nodes: nodes, levels: levels, width: 8, batch: batch, images: images, model: model,
      isOriginalCompiled: false)
  }

  static func generate(nodes: Int, levels: Int, images: Int, model: String) -> NetworkWork {
    NetworkWork(
      job: .generate, nodes: nodes, levels: levels, width: 8, batch: images, images: images, model: model,
      isOriginalCompiled: false)
  }

  var imagesPerRun: Int { job == .train ? batch : images }

  var name: String {
    let size = job == .train ? " B=\(batch)" : ", \(images) digits"
    return "\(job.rawValue) K=\(nodes) L=\(levels) width \(width)\(size)"
      + (isOriginalCompiled ? ", theirs compiled" : "")
  }

  func prepare(_ machine: Machine) throws -> PreparedRow {
    switch job {
    case .train: try prepareTraining(machine)
    case .encode: try prepareEncoding(machine)
    case .generate: try prepareGenerating(machine)
    }
  }

  private func prepareTraining(_ machine: Machine) throws -> PreparedRow {
    let configuration = NetworkConfiguration.recurrent(.init(baseWidth: width, nodes: nodes, repeats: levels))
    var options = TrainingOptions(network: configuration, images: .max, batch: batch, chainDropout: 0)
    options.precision = machine.precision
    let (digits, data) = try loadDigits(machine)
    let trainer = try Trainer(options, data: data, device: machine.device)
    if let model {
      try SafetensorsFile(contentsOf: BenchmarkModels.url(model)).load(into: trainer.network.state())
    } else {
      for _ in 0..<Self.warmupSteps { try trainer.step() }
    }
    return PreparedRow(
      makeCase: {
        trainer.network.setMode(.evaluation)
        defer { trainer.network.setMode(.training) }
        let first = try Reconstruction(of: data.batch(Array(0..<batch)).images, by: trainer.network)
        return try trainer.network.caseWeights(OriginalNames.recurrent)
          .merging(reconstructionCase(digits, first)) { $1 }
      }, run: { try Self.step(trainer) })
  }

  /// A step in the trainer's precision, that of the forward pass; gradients and Adam are float32.
  static func step(_ trainer: Trainer) throws {
    try withPrecision(.float32, on: trainer.network.device) { _ = try trainer.step() }
  }

  private func prepareEncoding(_ machine: Machine) throws -> PreparedRow {
    let network = try loadNetwork(machine)
    let (digits, data) = try loadDigits(machine)
    return PreparedRow(
      makeCase: {
        let first = try Reconstruction(of: data.batch(Array(0..<min(batch, Self.checkedDigits))).images, by: network)
        return try network.caseWeights(OriginalNames.recurrent).merging(reconstructionCase(digits, first)) { $1 }
      },
      run: {
        for place in stride(from: 0, to: images, by: batch) {
          let indices = Array(place..<min(place + batch, images))
          _ = try Reconstruction(of: data.batch(indices).images, by: network)
        }
      })
  }

  private func prepareGenerating(_ machine: Machine) throws -> PreparedRow {
    let network = try loadNetwork(machine)
    let codes = (0..<UInt64(images)).map { LatentCode(seed: $0, in: network.codeSpace) }
    return PreparedRow(
      makeCase: {
        try network.caseWeights(OriginalNames.recurrent).merging(network.decodingCase(codes)) { $1 }
      }, run: { _ = try network.decode(codes) })
  }

  private func loadNetwork(_ machine: Machine) throws -> any DiscreteDistributionNetwork {
    guard let model else { preconditionFailure("\(name) needs a model") }
    return try Model(contentsOf: BenchmarkModels.url(model), device: machine.device).network
  }

  /// The first `images` digits, as stored and as training images.
  private func loadDigits(_ machine: Machine) throws -> (digits: DigitDataset, data: TrainingImages) {
    let shipped = try DigitDataset.shipped()
    let digits = shipped.split(last: shipped.count - images).head
    return (digits, try TrainingImages(digits, device: machine.device))
  }

  /// - Parameter first: the reconstruction of the first digits.
  private func reconstructionCase(_ digits: DigitDataset, _ first: Reconstruction) throws -> [String: Tensor] {
    let shape = [images, 1, DigitDataset.side, DigitDataset.side]
    return try first.expectedOfCase.merging(["input.images": Tensor(digits.images, shape: shape)]) { $1 }
  }
}
