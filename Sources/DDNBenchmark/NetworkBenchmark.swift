import DDN
import DDNData
import DDNTraining
import Torch

/// What a whole network does in a second, on the digits that are part of the package.
public struct NetworkBenchmark: Sendable {
  public let nodes: Int
  public let levels: Int
  public let batch: Int

  public static let all = [
    NetworkBenchmark(nodes: 8, levels: 3, batch: 128),
    NetworkBenchmark(nodes: 8, levels: 3, batch: 512),
    NetworkBenchmark(nodes: 64, levels: 10, batch: 64),
  ]

  public var name: String { "network K=\(nodes) L=\(levels) width 8 B=\(batch)" }

  /// Images a second.
  public struct Rates: Sendable {
    public let training: Double
    public let encoding: Double
    public let generating: Double
  }

  /// - Parameter warmupSteps: training steps before the clock starts; node use is balanced only after some.
  public func run(rounds: Int, warmupSteps: Int, device: Device) throws -> Rates {
    let configuration = NetworkConfiguration.recurrent(.init(nodes: nodes, repeats: levels))
    let options = TrainingOptions(network: configuration, images: .max, batch: batch)
    let data = try TrainingImages(.shipped(), device: device)
    let trainer = try Trainer(options, data: data, device: device)
    for _ in 0..<warmupSteps { try trainer.step() }
    let training = try Timing.inTurns(rounds: rounds, [{ try trainer.step() }])[0]

    let network = trainer.network
    network.setMode(.evaluation)
    let target = try data.batch(Array(0..<batch)).images
    let codes = (0..<UInt64(batch)).map { LatentCode(seed: $0, nodesOfLevels: network.nodesOfLevels) }
    let others = try Timing.inTurns(
      rounds: rounds,
      [{ _ = try Reconstruction(of: target, by: network) }, { _ = try network.decode(codes).mean().item() }])
    return Rates(
      training: Double(batch) / training.seconds, encoding: Double(batch) / others[0].seconds,
      generating: Double(batch) / others[1].seconds)
  }
}
