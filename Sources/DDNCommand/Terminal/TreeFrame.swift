import DDN
import DDNTrees
import Images

/// The tree of a network in training, a frame of `ddn tree film`.
enum TreeFrame {
  /// More leaves would take longer to draw than a tick to train.
  static let mostLeaves = 4096
  /// Pixels on a side, at most.
  private static let size = 768

  /// - Throws: `UsageError` when the tree is too large, or is not one tree.
  static func check(_ network: any NetworkArchitecture) throws(UsageError) {
    let levels = network.codeSpace.levels
    guard !network.conditions.contains(where: \.needsImages) else {
      throw UsageError("--film: this network has no single tree; leave it out")
    }
    let leaves = levels.reduce(1) { $0 * Double($1.nodes) }
    guard leaves <= Double(mostLeaves) else {
      throw UsageError(
        "--film: a tree of \(leaves < 1e15 ? String(Int(leaves)) : "too many") leaves is more than \(mostLeaves); leave it out, "
          + "or train fewer --nodes or --levels")
    }
  }

  static func draw(_ network: any DiscreteDistributionNetwork) throws -> Bitmap {
    let layout = TreeLayout(nodes: network.codeSpace.levels.map(\.nodes), size: size)
    let images = try TreeImages(network, classIndex: network.classes > 0 ? 0 : nil)
    // A requested stop interrupts the operators.
    return try TreePicture(images.tree(levels: layout.levels) { _ in true }, layout).bitmap()
  }
}
