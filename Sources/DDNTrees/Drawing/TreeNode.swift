import Images

/// A node of the tree with its image, and the subtree below it.
public struct TreeNode: Sendable {
  /// The image at the level's resolution.
  public var image: Bitmap
  /// The node's share of its parent's images times the number of siblings, 1 for a fair share; nil without counts.
  public var use: Double?
  /// One for each of the next level's nodes, nil for an unused one; empty where the tree ends.
  public var children: [TreeNode?] = []

  /// Number of nodes in the subtree, with this one.
  public var count: Int { children.reduce(1) { $0 + ($1?.count ?? 0) } }

  /// Levels below this node.
  public var depth: Int { children.isEmpty ? 0 : 1 + (children.lazy.map { $0?.depth ?? 0 }.max() ?? 0) }
}
