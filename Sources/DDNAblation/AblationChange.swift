import DDN
import DDNTraining

/// What a row of an ablation study changes in a training.
///
/// Source: paper, Table 2.
public enum AblationChange: Hashable, Sendable {
  /// K, nodes per level; of a pyramid the most nodes of a level.
  case nodes(Int)
  case withoutSplit
  case withoutChainDropout
  case withoutLearnedResidual
  case withoutLeakChoice

  /// The change of a word such as "nodes=8" or "split".
  ///
  /// - Throws: `ConfigurationError` for an unknown word or an impossible number of nodes.
  public init(parsing word: some StringProtocol) throws(ConfigurationError) {
    let parts = word.split(separator: "=", omittingEmptySubsequences: false)
    switch (parts.first.map { String($0) }, parts.count) {
    case ("nodes", 2):
      guard let nodes = Int(parts[1]), (2...4096).contains(nodes) else {
        throw ConfigurationError("'\(parts[1])' is not a number of nodes within 2...4096")
      }
      self = .nodes(nodes)
    case ("split", 1): self = .withoutSplit
    case ("dropout", 1): self = .withoutChainDropout
    case ("residual", 1): self = .withoutLearnedResidual
    case ("leak", 1): self = .withoutLeakChoice
    default:
      throw ConfigurationError("'\(word)' is not nodes=K, split, dropout, residual or leak")
    }
  }

  /// For names of folders.
  var name: String {
    switch self {
    case .nodes(let nodes): "k\(nodes)"
    case .withoutSplit: "no-split"
    case .withoutChainDropout: "no-dropout"
    case .withoutLearnedResidual: "no-residual"
    case .withoutLeakChoice: "no-leak"
    }
  }

  /// For tables and pictures: "K=2, without Split-and-Prune and chain dropout".
  static func label(_ changes: [AblationChange]) -> String {
    var parts: [String] = []
    var left: [String] = []
    for change in changes {
      switch change {
      case .nodes(let nodes): parts.append("K=\(nodes)")
      case .withoutSplit: left.append("Split-and-Prune")
      case .withoutChainDropout: left.append("chain dropout")
      case .withoutLearnedResidual: left.append("learned residuals")
      case .withoutLeakChoice: left.append("leak choice")
      }
    }
    if !left.isEmpty { parts.append("without " + left.joined(separator: " and ")) }
    return parts.joined(separator: ", ")
  }

  /// How a training takes a change.
  enum Outcome: Equatable {
    case changed
    /// The options are so already.
    case alreadySo(String)
    /// The network does not have what is changed.
    case impossible(String)
  }

  /// Changes options; they stay as they were unless the outcome is `changed`.
  func apply(to options: inout TrainingOptions) -> Outcome {
    switch self {
    case .nodes(let nodes): return Self.set(nodes: nodes, &options)
    case .withoutSplit:
      if let dense = options.network.architecture as? DenseNetwork.Configuration, dense.gains != nil {
        return .impossible("nodes with gains are not split")
      }
      if options.split.rule == .none { return .alreadySo("nothing is split") }
      options.split.rule = .none
    case .withoutChainDropout:
      if options.chainDropout == 0, (options.lastChainDropout ?? 0) == 0 { return .alreadySo("chain dropout is 0") }
      (options.chainDropout, options.lastChainDropout) = (0, nil)
    case .withoutLearnedResidual:
      switch options.network.architecture {
      case var recurrent as RecurrentNetwork.Configuration:
        guard recurrent.learnsResidual else {
          return .alreadySo("the network learns no residuals; --learn-res adds them")
        }
        recurrent.learnsResidual = false
        options.network = .recurrent(recurrent)
      case var pyramid as PyramidNetwork.Configuration:
        guard pyramid.learnsResidual else {
          return .alreadySo("the network learns no residuals; --learn-res adds them")
        }
        pyramid.learnsResidual = false
        options.network = .pyramid(pyramid)
      default: return .impossible("a \(type(of: options.network.architecture).noun) always learns residuals")
      }
    case .withoutLeakChoice:
      switch options.network.architecture {
      case var recurrent as RecurrentNetwork.Configuration:
        guard recurrent.leaksChoice else { return .alreadySo("the network has no leak choice") }
        recurrent.leaksChoice = false
        options.network = .recurrent(recurrent)
      case var pyramid as PyramidNetwork.Configuration:
        guard pyramid.leaksChoice != false else { return .alreadySo("the network has no leak choice") }
        pyramid.leaksChoice = false
        options.network = .pyramid(pyramid)
      default: return .impossible("a \(type(of: options.network.architecture).noun) has no leak choice")
      }
    }
    return .changed
  }

  private static func set(nodes: Int, _ options: inout TrainingOptions) -> Outcome {
    if options.network.mostNodes == nodes { return .alreadySo("K is \(nodes)") }
    switch options.network.architecture {
    case var recurrent as RecurrentNetwork.Configuration:
      recurrent.nodes = nodes
      options.network = .recurrent(recurrent)
    case var dense as DenseNetwork.Configuration:
      dense.nodes = nodes
      options.network = NetworkConfiguration(dense)
    case var pyramid as PyramidNetwork.Configuration:
      pyramid.maxNodes = nodes
      let most = NetworkConfiguration.pyramid(pyramid).mostNodes
      guard most == nodes else {
        return .impossible(
          "a level of this pyramid has at most \(most) nodes, twice its channels; more with --cmax and --cbase")
      }
      options.network = .pyramid(pyramid)
    default: return .impossible("a \(type(of: options.network.architecture).noun) has no number of nodes")
    }
    return .changed
  }
}

extension NetworkConfiguration {
  /// The nodes of the level that has most.
  var mostNodes: Int { codeSpace.levels.map(\.nodes).max() ?? 0 }
}
