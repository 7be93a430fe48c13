import Torch

/// Maps the images of a batch to their distinct paths through the tree.
///
/// A level depends on the codes before it and the condition, not on the target, so images with equal codes so far share
/// one evaluation of the network's block: level 0 runs on one row for any batch size, level 1 on about K. This is
/// exact; autograd adds the gradients of shared rows.
///
/// A *row* is one distinct path; tensors over rows are `[R, ...]`, over images `[B, ...]`. R is padded to a few sizes
/// with unused rows: oneDNN builds a new primitive per batch size, which costs more than the padding.
public struct SharedPaths {
  /// Images in the batch, B.
  public let samples: Int
  /// R, in `1...B`: the number of distinct paths, padded.
  public let rows: Int
  /// `[B]` int64, the row of every image; nil when image `b` has row `b` alone.
  public let rowOfSample: Tensor?

  private init(samples: Int, rows: Int, rowOfSample: Tensor?) {
    self.samples = samples
    self.rows = rows
    self.rowOfSample = rowOfSample
  }

  /// The root of the tree, shared by all `samples` images.
  public init(samples: Int, device: Device) throws(TorchError) {
    precondition(samples > 0, "a batch has at least one image")
    let root = samples == 1 ? nil : try Tensor.zeros([samples], dtype: .int64, device: device)
    self.init(samples: samples, rows: 1, rowOfSample: root)
  }

  /// A separate path per image.
  public static func separate(samples: Int) -> SharedPaths {
    SharedPaths(samples: samples, rows: samples, rowOfSample: nil)
  }

  /// Gathers every image's row: `[R, ...]` to `[B, ...]`.
  public func perSample(_ rows: Tensor) throws(TorchError) -> Tensor {
    guard let rowOfSample else { return rows }
    return try rows.gathered(rowOfSample)
  }

  /// The paths after one more choice.
  public struct Branching {
    public let paths: SharedPaths
    /// `[R']` int64, the row that each new row continues; nil when new row `r` continues row `r`.
    public let parentOfRow: Tensor?
    /// `[R']` int64, the choice of each new row.
    public let codeOfRow: Tensor

    /// Gathers the row that every new row continues: `[R, ...]` to `[R', ...]`.
    public func inherit(_ rows: Tensor) throws(TorchError) -> Tensor {
      guard let parentOfRow else { return rows }
      return try rows.gathered(parentOfRow)
    }
  }

  /// The paths after every image has chosen one of K nodes.
  ///
  /// - Parameters:
  ///   - codes: `[B]` int64 in `0..<nodes`.
  ///   - nodes: K.
  public func branching(at codes: Tensor, nodes: Int) throws(TorchError) -> Branching {
    guard let rowOfSample else { return Branching(paths: self, parentOfRow: nil, codeOfRow: codes) }
    // Counting distinct paths would synchronize the device at every level.
    if codes.device != .cpu { return try branchingToAll(codes, rowOfSample, nodes: nodes) }
    let branch = try rowOfSample.scaled(by: nodes) + codes  // [B], distinct for distinct paths
    guard let (paths, branches) = try Self.sharing(branch) else {
      return Branching(paths: .separate(samples: samples), parentOfRow: rowOfSample, codeOfRow: codes)
    }
    return Branching(
      paths: paths, parentOfRow: try branches.floorDivided(by: nodes), codeOfRow: try branches.remainder(by: nodes))
  }

  /// Branching with a row for every possible path: more rows, but no copy to the host.
  func branchingToAll(_ codes: Tensor, _ rowOfSample: Tensor, nodes: Int) throws(TorchError) -> Branching {
    let all = rows * nodes
    guard Self.isWorthSharing(rows: all, samples: samples) else {
      return Branching(paths: .separate(samples: samples), parentOfRow: rowOfSample, codeOfRow: codes)
    }
    let branches = try Tensor.range(0..<all, device: codes.device)
    return Branching(
      paths: SharedPaths(samples: samples, rows: all, rowOfSample: try rowOfSample.scaled(by: nodes) + codes),
      parentOfRow: try branches.floorDivided(by: nodes), codeOfRow: try branches.remainder(by: nodes))
  }

  /// The paths of a batch that continues images of this one.
  public struct Selection {
    public let paths: SharedPaths
    /// `[R']` int64, the source of each new row; nil when new row `r` is row `r`.
    let rows: Tensor?

    /// `[R, ...]` to `[R', ...]`.
    public func inherit(_ tensor: Tensor) throws(TorchError) -> Tensor {
      guard let rows else { return tensor }
      return try tensor.gathered(rows)
    }
  }

  /// The paths of a batch in which image i continues image `parents[i]` of this one.
  ///
  /// - Parameter parents: `[B']` int64 in `0..<samples`, on the network's device; at least one, repeats allowed.
  public func selecting(_ parents: Tensor) throws(TorchError) -> Selection {
    let count = parents.shape[0]
    let rowOfParent = try row(of: parents)
    if parents.device == .cpu, let (paths, distinct) = try Self.sharing(rowOfParent) {
      return Selection(paths: paths, rows: distinct)
    }
    if parents.device != .cpu, Self.isWorthSharing(rows: rows, samples: count) {
      return Selection(paths: SharedPaths(samples: count, rows: rows, rowOfSample: rowOfParent), rows: nil)
    }
    return Selection(paths: .separate(samples: count), rows: rowOfParent)
  }

  /// The same, with the rows as they are.
  func sharingRows(_ parents: Tensor) throws(TorchError) -> Selection {
    Selection(
      paths: SharedPaths(samples: parents.shape[0], rows: rows, rowOfSample: try row(of: parents)), rows: nil)
  }

  /// `[B']`, the row of each of some images.
  private func row(of images: Tensor) throws(TorchError) -> Tensor {
    guard let rowOfSample else { return images }
    return try rowOfSample.gathered(images)
  }

  /// Paths with one row per distinct number, and every row's number; nil when sharing is not worth it.
  private static func sharing(_ numbers: Tensor) throws(TorchError) -> (paths: SharedPaths, numberOfRow: Tensor)? {
    let samples = numbers.shape[0]
    let (distinct, rowOfNumber) = try numbers.unique()
    let count = distinct.shape[0]
    let rows = roundedUp(count)
    guard isWorthSharing(rows: rows, samples: samples) else { return nil }
    let padding = try distinct.slice(0, count - 1..<count).expanded([rows - count])
    return (
      SharedPaths(samples: samples, rows: rows, rowOfSample: rowOfNumber),
      try rows == count ? distinct : .concatenate([distinct, padding])
    )
  }

  /// Gathering rows costs more than recomputing a few.
  private static func isWorthSharing(rows: Int, samples: Int) -> Bool { rows * 10 <= samples * 9 }

  /// The next of 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48 and so on.
  static func roundedUp(_ count: Int) -> Int {
    var size = 1
    while size < count { size *= 2 }
    return size >= 4 && size / 4 * 3 >= count ? size / 4 * 3 : size
  }
}
