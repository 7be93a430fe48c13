// Views, copies, gathering and scattering.

extension Tensor {
  private static let sortOperator = Operator("aten::sort", "stable")
  private static let topOperator = Operator("aten::topk")
  private static let gatherOperator = Operator("aten::gather")
  private static let reshapeOperator = Operator("aten::reshape")
  private static let expandOperator = Operator("aten::expand")
  private static let transposeOperator = Operator("aten::transpose", "int")
  private static let narrowOperator = Operator("aten::narrow")
  private static let selectOperator = Operator("aten::select", "int")
  private static let indexSelectOperator = Operator("aten::index_select")
  private static let contiguousOperator = Operator("aten::contiguous")
  private static let cloneOperator = Operator("aten::clone")
  private static let detachOperator = Operator("aten::detach")
  private static let reinterpretOperator = Operator("aten::view", "dtype")
  private static let toTypeOperator = Operator("aten::to", "dtype")
  private static let toDeviceOperator = Operator("aten::to", "device")
  private static let copyOperator = Operator("aten::copy_")
  private static let indexCopyOperator = Operator("aten::index_copy_")
  private static let scatterOperator = Operator("aten::scatter", "value")
  private static let uniqueOperator = Operator("aten::_unique2")

  /// The same elements with another shape; one size may be -1.
  public func reshaped(_ shape: [Int]) throws(TorchError) -> Tensor {
    try Tensor.reshapeOperator.tensor(.tensor(self), .ints(shape))
  }

  /// Expands dimensions of size 1 without copying; -1 keeps a size.
  public func expanded(_ shape: [Int]) throws(TorchError) -> Tensor {
    try Tensor.expandOperator.tensor(.tensor(self), .ints(shape))
  }

  public func transposed(_ first: Int, _ second: Int) throws(TorchError) -> Tensor {
    try Tensor.transposeOperator.tensor(.tensor(self), .int(first), .int(second))
  }

  /// A view of `range` along one dimension.
  public func slice(_ dimension: Int, _ range: Range<Int>) throws(TorchError) -> Tensor {
    try Tensor.narrowOperator.tensor(.tensor(self), .int(dimension), .int(range.lowerBound), .int(range.count))
  }

  /// A view of one index along a dimension, which is removed.
  public func select(_ dimension: Int, _ index: Int) throws(TorchError) -> Tensor {
    try Tensor.selectOperator.tensor(.tensor(self), .int(dimension), .int(index))
  }

  /// The slices at `indices` (`[n]` int64) along a dimension.
  public func gathered(_ indices: Tensor, dimension: Int = 0) throws(TorchError) -> Tensor {
    try Tensor.indexSelectOperator.tensor(.tensor(self), .int(dimension), .tensor(indices))
  }

  /// `[B, n]` to `[B, n]` int64, the indices that sort each row; equal elements keep their order.
  public func sortedIndices(descending: Bool = false) throws(TorchError) -> Tensor {
    guard case .tensor(let indices) = try Tensor.sortOperator(.tensor(self), .bool(true), .int(1), .bool(descending))[1]
    else { preconditionFailure("sort returns values and indices") }
    return indices
  }

  /// `[B, n]` to `[B, count]` int64, the indices of the least elements of each row, ascending; of equal elements any.
  ///
  /// Much faster than sorting all when few are wanted.
  public func leastIndices(_ count: Int) throws(TorchError) -> Tensor {
    let outputs = try Tensor.topOperator(.tensor(self), .int(count), .int(1), .bool(false), .bool(true))
    guard case .tensor(let indices) = outputs[1] else { preconditionFailure("topk returns values and indices") }
    return indices
  }

  /// Of each row other elements: element `[b, j]` is `self[b, indices[b, j]]`, and alike in other dimensions.
  public func picked(_ indices: Tensor, dimension: Int = 1) throws(TorchError) -> Tensor {
    try Tensor.gatherOperator.tensor(.tensor(self), .int(dimension), .tensor(indices))
  }

  /// A copy with `value` at `indices` (int64, same rank) along a dimension.
  public func scattering(_ value: Double, at indices: Tensor, dimension: Int) throws(TorchError) -> Tensor {
    try Tensor.scatterOperator.tensor(.tensor(self), .int(dimension), .tensor(indices), .double(value))
  }

  /// The sorted distinct elements and, for every element, the index of its value in them.
  public func unique() throws(TorchError) -> (values: Tensor, inverse: Tensor) {
    let results = try Tensor.uniqueOperator(.tensor(self), .bool(true), .bool(true), .bool(false))
    guard case .tensor(let values) = results[0], case .tensor(let inverse) = results[1] else {
      preconditionFailure("_unique2 returns tensors")
    }
    return (values, inverse)
  }

  public func contiguous() throws(TorchError) -> Tensor { try Tensor.contiguousOperator.tensor(.tensor(self)) }

  /// A copy, recorded by autograd.
  public func cloned() throws(TorchError) -> Tensor { try Tensor.cloneOperator.tensor(.tensor(self)) }

  /// The same memory, detached from autograd.
  public func detached() throws(TorchError) -> Tensor { try Tensor.detachOperator.tensor(.tensor(self)) }

  public func to(_ dtype: DType) throws(TorchError) -> Tensor {
    try Tensor.toTypeOperator.tensor(.tensor(self), .dtype(dtype))
  }

  /// The same bits as another type of the same size.
  public func reinterpreted(as dtype: DType) throws(TorchError) -> Tensor {
    try Tensor.reinterpretOperator.tensor(.tensor(self), .dtype(dtype))
  }

  public func to(_ device: Device) throws(TorchError) -> Tensor {
    if device == self.device { return self }
    return try Tensor.toDeviceOperator.tensor(.tensor(self), .device(device), .dtype(dtype))
  }

  /// Overwrites the elements with those of `source`, broadcast and converted as needed.
  public func copy(from source: Tensor) throws(TorchError) {
    try Tensor.copyOperator(.tensor(self), .tensor(source))
  }

  /// Overwrites the rows at `indices` (`[n]` int64) of the first dimension with `rows`.
  public func copyRows(at indices: Tensor, from rows: Tensor) throws(TorchError) {
    try Tensor.indexCopyOperator(.tensor(self), .int(0), .tensor(indices), .tensor(rows))
  }
}
