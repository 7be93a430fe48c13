// Elementwise operators, reductions and products. Shapes broadcast as in PyTorch.

extension Tensor {
  private static let addOperator = Operator("aten::add", "Tensor")
  private static let addScalarOperator = Operator("aten::add", "Scalar")
  private static let subtractOperator = Operator("aten::sub", "Tensor")
  private static let multiplyOperator = Operator("aten::mul", "Tensor")
  private static let multiplyScalarOperator = Operator("aten::mul", "Scalar")
  private static let divideOperator = Operator("aten::div", "Tensor")
  private static let floorDivideOperator = Operator("aten::floor_divide", "Scalar")
  private static let remainderOperator = Operator("aten::remainder", "Scalar")
  private static let absoluteOperator = Operator("aten::abs")
  private static let clampOperator = Operator("aten::clamp")
  private static let lessOperator = Operator("aten::lt", "Scalar")
  private static let unequalOperator = Operator("aten::ne", "Tensor")
  private static let whereOperator = Operator("aten::where", "self")
  private static let sumOperator = Operator("aten::sum", "dim_IntList")
  private static let meanOperator = Operator("aten::mean", "dim")
  private static let argminOperator = Operator("aten::argmin")
  private static let matmulOperator = Operator("aten::matmul")
  private static let batchProductOperator = Operator("aten::bmm")
  private static let finiteOperator = Operator("aten::isfinite")
  private static let allOperator = Operator("aten::all")
  private static let rootOperator = Operator("aten::sqrt")
  private static let roundOperator = Operator("aten::round")
  private static let maximumOperator = Operator("aten::amax")

  public static func + (left: Tensor, right: Tensor) throws(TorchError) -> Tensor {
    try addOperator.tensor(.tensor(left), .tensor(right))
  }

  public static func + (left: Tensor, right: Double) throws(TorchError) -> Tensor {
    try addScalarOperator.tensor(.tensor(left), .double(right))
  }

  public static func - (left: Tensor, right: Tensor) throws(TorchError) -> Tensor {
    try subtractOperator.tensor(.tensor(left), .tensor(right))
  }

  public static func - (left: Tensor, right: Double) throws(TorchError) -> Tensor { try left + -right }

  public static func * (left: Tensor, right: Tensor) throws(TorchError) -> Tensor {
    try multiplyOperator.tensor(.tensor(left), .tensor(right))
  }

  public static func * (left: Tensor, right: Double) throws(TorchError) -> Tensor {
    try multiplyScalarOperator.tensor(.tensor(left), .double(right))
  }

  public static func / (left: Tensor, right: Tensor) throws(TorchError) -> Tensor {
    try divideOperator.tensor(.tensor(left), .tensor(right))
  }

  /// Integer division, rounded down.
  public func floorDivided(by divisor: Int) throws(TorchError) -> Tensor {
    try Tensor.floorDivideOperator.tensor(.tensor(self), .int(divisor))
  }

  /// The remainder of `floorDivided(by:)`; never negative for a positive divisor.
  public func remainder(by divisor: Int) throws(TorchError) -> Tensor {
    try Tensor.remainderOperator.tensor(.tensor(self), .int(divisor))
  }

  /// `self * factor` for integers, which stay integers.
  public func scaled(by factor: Int) throws(TorchError) -> Tensor {
    try Tensor.multiplyScalarOperator.tensor(.tensor(self), .int(factor))
  }

  /// `self + number` for integers, which stay integers.
  public func adding(_ number: Int) throws(TorchError) -> Tensor {
    try Tensor.addScalarOperator.tensor(.tensor(self), .int(number))
  }

  public func squareRoot() throws(TorchError) -> Tensor { try Tensor.rootOperator.tensor(.tensor(self)) }

  /// To the nearest integer, halves to even.
  public func rounded() throws(TorchError) -> Tensor { try Tensor.roundOperator.tensor(.tensor(self)) }

  public func squared() throws(TorchError) -> Tensor { try self * self }

  public func absolute() throws(TorchError) -> Tensor { try Tensor.absoluteOperator.tensor(.tensor(self)) }

  public func clamped(_ range: ClosedRange<Double>) throws(TorchError) -> Tensor {
    try Tensor.clampOperator.tensor(.tensor(self), .double(range.lowerBound), .double(range.upperBound))
  }

  /// True where an element is below `bound`.
  public func isLess(than bound: Double) throws(TorchError) -> Tensor {
    try Tensor.lessOperator.tensor(.tensor(self), .double(bound))
  }

  /// True where an element differs from that of `other`.
  public func isUnequal(to other: Tensor) throws(TorchError) -> Tensor {
    try Tensor.unequalOperator.tensor(.tensor(self), .tensor(other))
  }

  /// Elements of `first` where this (bool) is true, of `second` elsewhere.
  public func selecting(_ first: Tensor, else second: Tensor) throws(TorchError) -> Tensor {
    try Tensor.whereOperator.tensor(.tensor(self), .tensor(first), .tensor(second))
  }

  /// Sums over `dimensions`; over all when none are given.
  public func sum(_ dimensions: [Int] = [], keepingDimensions: Bool = false) throws(TorchError) -> Tensor {
    try Tensor.sumOperator.tensor(
      .tensor(self), dimensions.isEmpty ? .none : .ints(dimensions), .bool(keepingDimensions))
  }

  /// Means over `dimensions`; over all when none are given.
  public func mean(_ dimensions: [Int] = [], keepingDimensions: Bool = false) throws(TorchError) -> Tensor {
    try Tensor.meanOperator.tensor(
      .tensor(self), dimensions.isEmpty ? .none : .ints(dimensions), .bool(keepingDimensions))
  }

  /// Maxima over `dimensions`.
  public func maximum(_ dimensions: [Int]) throws(TorchError) -> Tensor {
    try Tensor.maximumOperator.tensor(.tensor(self), .ints(dimensions))
  }

  /// The index of the first minimum along a dimension, int64.
  public func argmin(_ dimension: Int) throws(TorchError) -> Tensor {
    try Tensor.argminOperator.tensor(.tensor(self), .int(dimension))
  }

  /// The matrix product over the last two dimensions, the others broadcast.
  public func matmul(_ other: Tensor) throws(TorchError) -> Tensor {
    try Tensor.matmulOperator.tensor(.tensor(self), .tensor(other))
  }

  /// The batched matrix product of `[b, n, m]` and `[b, m, p]`.
  public func batchMatmul(_ other: Tensor) throws(TorchError) -> Tensor {
    try Tensor.batchProductOperator.tensor(.tensor(self), .tensor(other))
  }

  /// Which elements are finite: bool, of the same shape.
  public func isFinite() throws(TorchError) -> Tensor { try Tensor.finiteOperator.tensor(.tensor(self)) }

  /// Whether all elements are finite; one host round trip.
  public func allFinite() throws(TorchError) -> Bool {
    try Tensor.allOperator.tensor(.tensor(isFinite())).to(.uint8).item() != 0
  }
}
