import DDN
import Torch

/// Finds the codes of an index whose decoded images are nearest to an image, without decoding them all.
///
/// Walks down the tree and keeps at each level the `beams` best prefixes among those that some code of the index has.
/// The distance at the last level is that of the decoded image, so that listed distances are exact; what may be missed
/// is a code whose earlier images are far from the query.
public struct TreeSearch {
  /// A found code.
  public struct Match: Sendable, Equatable {
    /// The row in the table that the index was made of.
    public let row: Int
    /// Mean squared error of the decoded image to the query, in units of [-1, 1] squared.
    public let distance: Double
  }

  let network: any DiscreteDistributionNetwork
  /// Prefixes kept from level to level.
  public let beams: Int
  let index: CodeIndex

  /// - Parameters:
  ///   - index: codes of the network.
  ///   - network: without conditions on images.
  ///   - beams: prefixes kept from level to level, at least 1.
  /// - Throws: `ConditionError` when the network needs images.
  public init(_ index: CodeIndex, network: any DiscreteDistributionNetwork, beams: Int) throws(ConditionError) {
    precondition(beams >= 1, "\(beams) beams are fewer than 1")
    try network.requireTree()
    self.index = index
    self.network = network
    self.beams = beams
  }

  /// The nearest codes, by distance and then by order.
  ///
  /// - Parameters:
  ///   - target: `[1, C, H, W]` in [-1, 1], on the network's device.
  ///   - classIndex: searches only codes of this class, for a model with classes; nil for all.
  ///   - count: matches, at most; fewer are found when the kept prefixes have fewer codes.
  /// - Throws: `TorchError`.
  public func nearest(to target: Tensor, classIndex: Int? = nil, count: Int) throws -> [Match] {
    let (roots, classes) = try roots(classIndex)
    var paths = roots
    guard !paths.isEmpty else { return [] }
    return try withoutGradients {
      var run = try network.begin(samples: paths.count, condition: network.condition(classes: classes, sources: nil))
      var distances = [Float](repeating: 0, count: paths.count)
      for level in network.codeSpace.levels.indices {
        let goal = Target(try target.expanded([paths.count] + network.imageShape))
        let all = try run.candidates().distances(to: goal).array(Float.self)  // [B K]
        let nodes = network.codeSpace.levels[level].nodes
        var branches: [(distance: Float, parent: Int, node: Int, range: Range<Int>)] = []
        for (parent, range) in paths.enumerated() {
          for child in index.children(in: range, depth: level + index.sorted.classSteps) {
            branches.append((all[parent * nodes + child.step], parent, child.step, child.range))
          }
        }
        // Stable: equal distances keep the order of leaves.
        let kept = branches.indices.sorted {
          (branches[$0].distance, $0) < (branches[$1].distance, $1)
        }.prefix(beams).map { branches[$0] }
        try run.select(kept.map(\.parent))
        try run.advance(by: NodeChooser(kept.map(\.node), device: network.device))
        (paths, distances) = (kept.map(\.range), kept.map(\.distance))
      }
      let found = zip(paths, distances).flatMap { range, distance in
        range.lazy.prefix(count).map { Match(row: index.row($0), distance: Double(distance)) }
      }
      return Array(found.sorted { ($0.distance, $0.row) < ($1.distance, $1.row) }.prefix(count))
    }
  }

  /// The subtrees to begin with, and their classes.
  private func roots(_ classIndex: Int?) throws -> ([Range<Int>], Tensor?) {
    guard network.classes > 0 else { return (index.count > 0 ? [0..<index.count] : [], nil) }
    let roots = index.children(in: 0..<index.count, depth: 0).filter { classIndex == nil || $0.step == classIndex }
    guard !roots.isEmpty else { return ([], nil) }
    return (roots.map(\.range), try Tensor(roots.map(\.step), shape: [roots.count]).to(network.device))
  }
}

extension DiscreteDistributionNetwork {
  /// - Throws: `ConditionError` when the network needs images, which each have a tree.
  func requireTree() throws(ConditionError) {
    if let kind = conditions.first(where: \.needsImages) {
      throw ConditionError("this model is conditioned on an image ('\(kind)'), and has a tree for each")
    }
  }
}

/// Chooses given nodes at one level.
struct NodeChooser: Chooser {
  private let codes: Tensor

  init(_ nodes: [Int], device: Device) throws(TorchError) {
    codes = try Tensor(nodes, shape: [nodes.count]).to(device)
  }

  func choose(from candidates: Candidates) throws -> Choice { Choice(codes: codes) }
}
