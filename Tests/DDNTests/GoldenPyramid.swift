import DDN
import Foundation
import GoldenSupport
import Testing
import Torch

/// A case of `Golden/D`: a pyramid network with the original's weights.
struct GoldenPyramid {
  struct Settings: Decodable {
    struct Options: Decodable {
      let maxBlocks: Int?
      let maxNodes: Int?
      let startSide: Int?
      let blocksTimes: Double?
      let condition: String?

      enum CodingKeys: String, CodingKey {
        case maxBlocks = "max_blockn"
        case maxNodes = "max_outputk"
        case startSide = "start_size"
        case blocksTimes = "blockn_times"
        case condition
      }
    }
    struct Level: Decodable {
      let name: String
      let inputs, outputs, side, nodes: Int
      let isUp: Bool

      enum CodingKeys: String, CodingKey {
        case name
        case inputs = "in_c"
        case outputs = "out_c"
        case side = "size"
        case nodes = "K"
        case isUp = "up"
      }
    }
    let resolution, classes, parameters, samples: Int
    let options: Options
    let learnsResidual: Bool
    let levels: [Level]
    let channels: [String: Int]
    let channelRule: String

    enum CodingKeys: String, CodingKey {
      case resolution = "img_resolution"
      case options = "cf"
      case classes = "label_dim"
      case learnsResidual = "learn_residual"
      case samples = "batch"
      case levels = "layers"
      case channels
      case channelRule = "channel_rule"
      case parameters = "n_params"
    }

    var configuration: PyramidNetwork.Configuration {
      let condition = options.condition.map { $0 == "class" ? "class\(classes)" : $0 }
      let patched = channels.sorted { Int($0.key)! < Int($1.key)! }.map(\.value)
      return options.configuration(
        resolution: resolution, channelsOfScales: channelRule == "reference" ? nil : patched,
        learnsResidual: learnsResidual, conditions: condition.map { [ConditionKind($0)!] } ?? [])
    }
  }

  /// All cases.
  static let names = Golden.folders(in: "D")

  /// Cases that have this file.
  static func names(with part: String) -> [String] {
    names.filter { FileManager.default.fileExists(atPath: Golden.url("D/\($0)/\(part).safetensors").path) }
  }

  let name: String
  let settings: Settings
  let network: PyramidNetwork

  init(_ name: String) throws {
    self.name = name
    settings = try JSONDecoder().decode(Settings.self, from: Data(contentsOf: Golden.url("D/\(name)/meta.json")))
    network = try PyramidNetwork(settings.configuration, generator: Generator(seed: 0))
    try network.move(to: Golden.device)
    let file = try self.file("params")
    var names = Set(
      file.entries.keys.filter { !$0.hasSuffix(".ddo.split_idxs") && !$0.hasSuffix(".resample_filter") })
    for (name, tensor) in network.state() {
      let original = try original(name)
      try #require(names.remove(original) != nil, "\(original) is missing or taken twice")
      let golden = try file.tensor(original)
      try #require(golden.shape == tensor.shape, "\(original)")
      try withoutGradients { try tensor.copy(from: golden) }
    }
    try #require(names.isEmpty)
  }

  func file(_ part: String) throws -> SafetensorsFile { try Golden.safetensors("D/\(name)/\(part).safetensors") }

  func original(_ name: String) throws -> String {
    try #require(OriginalNames.pyramid(name, levels: network.configuration.levels), "\(name)")
  }

  /// The condition of a file's run: its one-hot labels, and its source images, else the target.
  func condition(in file: SafetensorsFile) throws -> Condition {
    let classes = try file.entries["in.labels"].map { _ in try (file.input("in.labels") * -1).argmin(1) }
    let source = ["in.condition_source", "in.target"].first { file.entries[$0] != nil }
    return network.condition(classes: classes, sources: try source.map { try file.input($0) })
  }
}

extension GoldenPyramid.Settings.Options {
  /// The original's limits are 64 levels per side and 512 nodes.
  func configuration(
    resolution: Int, channelsOfScales: [Int]? = nil, learnsResidual: Bool = true, conditions: [ConditionKind] = []
  ) -> PyramidNetwork.Configuration {
    .init(
      resolution: resolution, startSide: startSide ?? 1, channelsOfScales: channelsOfScales,
      maxBlocks: maxBlocks ?? 64, maxNodes: maxNodes ?? 512, blocksTimes: blocksTimes ?? 1,
      learnsResidual: learnsResidual, conditions: conditions)
  }
}
