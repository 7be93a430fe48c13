import Torch

/// Which images of a batch still share their path through the tree.
///
/// A level depends on the codes chosen before it and on the condition, never on the target. Images with the same codes so
/// far need the network's block only once: level 0 runs on one row for any batch size, level 1 on about K. This is
/// exact; autograd adds the gradients of shared rows.
///
/// A *row* is one distinct path; tensors over rows are `[R, ...]`, tensors over images `[B, ...]`. R is rounded up to a few
/// sizes with rows that no image reads: oneDNN builds a new primitive per batch size, which costs more than the rows.
public struct SharedPaths {
  /// Images in the batch, B.
  public let samples: Int
  /// R, in `1...B`: the distinct paths, rounded up.
  public let rows: Int
  /// `[B]` int64, the row of every image; nil when image `b` has row `b` to itself.
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

  /// One path an image: nothing is shared.
  public static func separate(samples: Int) -> SharedPaths {
    SharedPaths(samples: samples, rows: samples, rowOfSample: nil)
  }

  /// `[R, ...]` to `[B, ...]`: every image's copy of its row.
  public func perSample(_ rows: Tensor) throws(TorchError) -> Tensor {
    guard let rowOfSample else { return rows }
    return try rows.gathered(rowOfSample)
  }

  /// Where one more choice leads.
  public struct Branching {
    public let paths: SharedPaths
    /// `[R']` int64, the row that each new row continues; nil when new row `r` continues row `r`.
    public let parentOfRow: Tensor?
    /// `[R']` int64, the code that each new row has chosen.
    public let codeOfRow: Tensor

    /// `[R, ...]` to `[R', ...]`: every new row's copy of the row it continues.
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
    // Counting the distinct paths on a CUDA device would stall it at every level.
    if codes.device != .cpu { return try branchingToAll(codes, rowOfSample, nodes: nodes) }
    let branch = try rowOfSample.scaled(by: nodes) + codes  // [B], distinct for distinct paths
    guard let (paths, branches) = try Self.sharing(branch) else {
      return Branching(paths: .separate(samples: samples), parentOfRow: rowOfSample, codeOfRow: codes)
    }
    return Branching(
      paths: paths, parentOfRow: try branches.floorDivided(by: nodes), codeOfRow: try branches.remainder(by: nodes))
  }

  /// Branching with a row for every path that could be chosen: more rows, and no copy to the host.
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

  /// The paths of another batch whose images continue some of this one's.
  public struct Selection {
    public let paths: SharedPaths
    /// `[R']` int64, the row that each new row copies; nil when new row `r` is row `r`.
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
    // [B'], the row of every parent.
    let rowOfParent = try rowOfSample.map { (rows) throws(TorchError) in try rows.gathered(parents) } ?? parents
    if parents.device == .cpu, let (paths, distinct) = try Self.sharing(rowOfParent) {
      return Selection(paths: paths, rows: distinct)
    }
    if parents.device != .cpu, Self.isWorthSharing(rows: rows, samples: count) {
      return Selection(paths: SharedPaths(samples: count, rows: rows, rowOfSample: rowOfParent), rows: nil)
    }
    return Selection(paths: .separate(samples: count), rows: rowOfParent)
  }

  /// Paths with one row for each distinct number, and the number of every row; nil when sharing is not worth it.
  private static func sharing(_ numbers: Tensor) throws(TorchError) -> (paths: SharedPaths, numberOfRow: Tensor)? {
    let samples = numbers.shape[0]
    let (distinct, rowOfNumber) = try numbers.unique()
    let count = distinct.shape[0]
    let rows = roundedUp(count)
    guard isWorthSharing(rows: rows, samples: samples) else { return nil }
    let spare = try distinct.slice(0, count - 1..<count).expanded([rows - count])
    return (
      SharedPaths(samples: samples, rows: rows, rowOfSample: rowOfNumber),
      try rows == count ? distinct : .concatenate([distinct, spare])
    )
  }

  /// Copying rows costs more than computing a few of them again.
  private static func isWorthSharing(rows: Int, samples: Int) -> Bool { rows * 10 <= samples * 9 }

  /// The next of 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48 and so on.
  static func roundedUp(_ count: Int) -> Int {
    var size = 1
    while size < count { size *= 2 }
    return size >= 4 && size / 4 * 3 >= count ? size / 4 * 3 : size
  }
}
