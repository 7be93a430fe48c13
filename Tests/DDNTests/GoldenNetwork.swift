import DDN
import Foundation
import GoldenSupport
import Testing
import Torch

/// A recurrent network with the original's weights.
struct GoldenNetwork {
  struct Settings: Decodable {
    let baseWidth, nodes: Int
    let repeats, stacks, parameters, trainable: Int?
    let leaksChoice, learnsResidual: Bool?

    enum CodingKeys: String, CodingKey {
      case baseWidth = "basec"
      case nodes = "K"
      case repeats = "rep"
      case stacks = "stackn"
      case parameters = "n_params"
      case trainable = "n_trainable"
      case leaksChoice = "leak_choice"
      case learnsResidual = "learn_residual"
    }

    var configuration: RecurrentNetwork.Configuration {
      .init(
        baseWidth: baseWidth, nodes: nodes, repeats: repeats ?? 3, stacks: stacks ?? 1,
        leaksChoice: leaksChoice ?? true, learnsResidual: learnsResidual ?? false)
    }
  }

  let settings: Settings
  let network: RecurrentNetwork

  /// - Parameters:
  ///   - settings: JSON below `Golden`.
  ///   - weights: safetensors below `Golden`; must hold every parameter, and nothing else but the split buffers.
  init(settings: String, weights: String) throws {
    self.settings = try JSONDecoder().decode(Settings.self, from: Data(contentsOf: Golden.url(settings)))
    network = try RecurrentNetwork(self.settings.configuration, generator: Generator(seed: 0))
    try network.move(to: Golden.device)
    let file = try Golden.safetensors(weights)
    var names = Set(file.entries.keys.filter { !$0.hasSuffix(".ddo.split_idxs") })
    for (name, tensor) in network.state() {
      let original = try #require(OriginalNames.recurrent(name), "\(name)")
      try #require(names.remove(original) != nil, "\(original) is missing or taken twice")
      let golden = try file.tensor(original)
      try #require(golden.shape == tensor.shape, "\(original)")
      try withoutGradients { try tensor.copy(from: golden) }
    }
    try #require(names.isEmpty)
  }

  /// Our parameters by their original names, without the first class shift.
  ///
  /// It adds a constant to a one-channel image before a layer norm, so it has no effect and its gradient is noise.
  func comparableParameters() throws -> [(name: String, tensor: Tensor)] {
    try network.namedParameters().filter { $0.parameter.isTrainable && !$0.name.contains(".imageShift.") }
      .map { (try #require(OriginalNames.recurrent($0.name)), $0.parameter.tensor) }
  }
}

extension SafetensorsFile {
  /// Class numbers or other `I32` rows as an int64 tensor of the same shape.
  func indices(_ name: String) throws -> Tensor { try input(name).to(.int64) }

  /// `[L, B]` codes for `GivenChooser`.
  func codes(_ name: String) throws -> [Tensor] {
    let all = try indices(name)
    return try (0..<all.shape[0]).map { try all.select(0, $0) }
  }
}

extension LevelOutput {
  /// Deviation of this level's images from the golden ones.
  func deviation(in file: SafetensorsFile) throws -> Double {
    try file.deviation(of: imagesPerSample(), from: goldenName("predict"))
  }

  /// The name of this level's tensor in golden files.
  func goldenName(_ tensor: String) -> String { (level < 10 ? "L0" : "L") + "\(level).\(tensor)" }
}
