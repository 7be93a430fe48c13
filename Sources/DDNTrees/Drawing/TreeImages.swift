import DDN
import DDNPictures
import Images
import Torch

/// Computes the images of a tree's nodes, level by level, each prefix once.
public struct TreeImages {
  private let network: any DiscreteDistributionNetwork
  private let classIndex: Int?
  private let index: CodeIndex?

  /// - Parameters:
  ///   - network: without conditions on images.
  ///   - classIndex: whose tree it is, for a model with classes.
  ///   - index: codes of the network; subtrees without codes are left out, and nodes tell their use. Nil for all nodes.
  /// - Throws: `ConditionError` when the network needs images, or its classes do not fit.
  public init(_ network: any DiscreteDistributionNetwork, classIndex: Int? = nil, index: CodeIndex? = nil) throws {
    try network.requireTree()
    guard network.classes == 0 ? classIndex == nil : classIndex.map({ (0..<network.classes).contains($0) }) == true
    else {
      throw ConditionError(
        network.classes == 0
          ? "this model has no classes" : "this model has a tree for each of \(network.classes) classes")
    }
    self.network = network
    self.classIndex = classIndex
    self.index = index
  }

  /// The number of nodes of a subtree; an upper bound where only used ones are drawn.
  ///
  /// - Parameters:
  ///   - space: of the model.
  ///   - depth: choices of the root.
  ///   - levels: below the root.
  ///   - codes: number of codes that use nodes; nil for all nodes.
  public static func nodeCount(_ space: CodeSpace, depth: Int, levels: Int, codes: Int? = nil) -> Double {
    var (all, level) = (1.0, 1.0)
    for nodes in space.levels[depth..<depth + levels].map(\.nodes) {
      level = min(level * Double(nodes), codes.map(Double.init) ?? .infinity)
      all += level
    }
    return all
  }

  /// A paths' batch: the run before its next level, and each path's codes in the index.
  private struct Paths {
    var run: NetworkRun
    var ranges: [Range<Int>]?
    var depth: Int { run.level }
  }

  /// The subtree of a partial code.
  ///
  /// The image of the whole tree's root, which has no level, is the mean of the first level's images, weighted by use
  /// where it is counted.
  ///
  /// - Parameters:
  ///   - prefix: choices from level 0; empty for the whole tree.
  ///   - levels: levels below the root, at least 1 and at most those after the prefix.
  ///   - progress: called with the number of new nodes; false stops.
  /// - Throws: `LatentCodeError` when no code of the index begins with the prefix; `JobStopped`; `TorchError`.
  public func tree(
    prefix: [Int] = [], levels: Int, progress: (Int) -> Bool = { _ in !Task.isCancelled }
  ) throws -> TreeNode {
    precondition(levels >= 1 && prefix.count + levels <= network.codeSpace.levels.count, "\(levels) levels do not fit")
    return try withoutGradients {
      let classes = try classIndex.map { try Tensor([$0], shape: [1]).to(network.device) }
      var run = try network.begin(samples: 1, condition: network.condition(classes: classes, sources: nil))
      var range = index.map { 0..<$0.count }
      if let index, let classIndex { range = index.range(in: range!, depth: 0, step: classIndex) }
      for (level, choice) in prefix.enumerated() {
        try run.advance(by: NodeChooser([choice], device: network.device))
        range = range.map { index!.range(in: $0, depth: level + index!.sorted.classSteps, step: choice) }
      }
      if range?.isEmpty == true { throw LatentCodeError("no image has a code in this tree") }
      let image = try run.images.map { try $0.bitmaps()[0] }
      let children = try self.children(
        of: Paths(run: run, ranges: range.map { [$0] }), levels: levels, progress: progress)[0]
      return TreeNode(image: try image ?? Self.mean(of: children), children: children)
    }
  }

  /// The children of each path, with their subtrees.
  private func children(of paths: Paths, levels: Int, progress: (Int) -> Bool) throws -> [[TreeNode?]] {
    var paths = paths
    let nodes = network.codeSpace.levels[paths.depth].nodes
    let candidates = try paths.run.candidates()
    let images = try candidates.paths.perSample(candidates.images())  // [B K C h w]
    let bitmaps = try images.reshaped([-1] + images.shape[2...]).bitmaps()
    let count = paths.run.samples
    // [B K], each child's codes; nil when all children are wanted.
    let ranges = paths.ranges.map { ranges in ranges.map { childRanges(of: $0, depth: paths.depth, nodes: nodes) } }
    var result: [[TreeNode?]] = (0..<count).map { path in
      (0..<nodes).map { node in
        guard let ranges else { return TreeNode(image: bitmaps[path * nodes + node]) }
        guard let range = ranges[path][node] else { return nil }
        let use = Double(range.count * nodes) / Double(paths.ranges![path].count)
        return TreeNode(image: bitmaps[path * nodes + node], use: use)
      }
    }
    let wanted = (0..<count * nodes).filter { result[$0 / nodes][$0 % nodes] != nil }
    guard progress(wanted.count) else { throw JobStopped() }
    guard levels > 1 else { return result }
    let batch = rowsPerBatch(atLevel: paths.depth + 1)
    for start in stride(from: 0, to: wanted.count, by: batch) {
      let chosen = wanted[start..<min(start + batch, wanted.count)]
      var next = Paths(run: paths.run, ranges: ranges.map { ranges in chosen.map { ranges[$0 / nodes][$0 % nodes]! } })
      try next.run.select(chosen.map { $0 / nodes })
      try next.run.advance(by: NodeChooser(chosen.map { $0 % nodes }, device: network.device))
      let below = try children(of: next, levels: levels - 1, progress: progress)
      for (place, children) in zip(chosen, below) { result[place / nodes][place % nodes]!.children = children }
    }
    return result
  }

  private func childRanges(of range: Range<Int>, depth: Int, nodes: Int) -> [Range<Int>?] {
    var ranges = [Range<Int>?](repeating: nil, count: nodes)
    for child in index!.children(in: range, depth: depth + index!.sorted.classSteps) {
      ranges[child.step] = child.range
    }
    return ranges
  }

  /// Paths whose K images take at most 64 MiB.
  private func rowsPerBatch(atLevel level: Int) -> Int {
    let space = network.codeSpace.levels[level]
    let size = space.nodes * network.imageShape[0] * space.side * space.side
    return min(max(1, 1 << 24 / size), 256)
  }

  private static func mean(of children: [TreeNode?]) throws -> Bitmap {
    let nodes = children.compactMap { $0 }
    var sums = [Double](repeating: 0, count: nodes[0].image.pixels.count)
    let total = nodes.reduce(0) { $0 + ($1.use ?? 1) }
    for node in nodes {
      for (place, value) in node.image.pixels.enumerated() { sums[place] += Double(value) * (node.use ?? 1) / total }
    }
    let first = nodes[0].image
    return Bitmap(
      width: first.width, height: first.height, channels: first.channels,
      pixels: sums.map { UInt8(min(max($0.rounded(), 0), 255)) })
  }
}
