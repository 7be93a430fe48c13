import Torch

/// Which images of a batch still share their path through the tree.
///
/// What a level computes depends on the codes chosen before it (and on the class), never on the target. Images with
/// the same codes so far therefore need the network's block only once: level 0 runs on one row however large the
/// batch is, level 1 on about K. This is exact; gradients of shared rows add up by themselves.
///
/// A *row* is one distinct path; tensors over rows are `[R, ...]`, tensors over images `[B, ...]`. R is rounded up to
/// a few sizes with rows that no image reads: libtorch's convolutions prepare themselves for every batch size they meet,
/// which costs more than the rows. (Kernels of our own would not mind, nor gain.)
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

  /// One path an image, which is what a program without sharing does.
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
    // How many paths are distinct is known where the numbers are: asking a CUDA device would stop it at every level.
    if codes.device != .cpu { return try branchingToAll(codes, rowOfSample, nodes: nodes) }
    let branch = try rowOfSample.scaled(by: nodes) + codes  // [B], distinct for distinct paths
    let (distinct, rowOfBranch) = try branch.unique()
    let count = distinct.shape[0]
    let rows = Self.roundedUp(count)
    // Copying rows about is not worth saving a few of them.
    if rows * 10 > samples * 9 {
      return Branching(paths: .separate(samples: samples), parentOfRow: rowOfSample, codeOfRow: codes)
    }
    let spare = try distinct.slice(0, count - 1..<count).expanded([rows - count])
    let branches = try rows == count ? distinct : .concatenate([distinct, spare])
    return Branching(
      paths: SharedPaths(samples: samples, rows: rows, rowOfSample: rowOfBranch),
      parentOfRow: try branches.floorDivided(by: nodes), codeOfRow: try branches.remainder(by: nodes))
  }

  /// The same with a row for every path that there could be: more rows, and nothing to ask.
  func branchingToAll(_ codes: Tensor, _ rowOfSample: Tensor, nodes: Int) throws(TorchError) -> Branching {
    let all = rows * nodes
    guard all * 10 <= samples * 9 else {
      return Branching(paths: .separate(samples: samples), parentOfRow: rowOfSample, codeOfRow: codes)
    }
    let branches = try Tensor.range(0..<all, device: codes.device)
    return Branching(
      paths: SharedPaths(samples: samples, rows: all, rowOfSample: try rowOfSample.scaled(by: nodes) + codes),
      parentOfRow: try branches.floorDivided(by: nodes), codeOfRow: try branches.remainder(by: nodes))
  }

  /// The next of 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48 and so on.
  static func roundedUp(_ count: Int) -> Int {
    var size = 1
    while size < count { size *= 2 }
    return size >= 4 && size / 4 * 3 >= count ? size / 4 * 3 : size
  }
}
