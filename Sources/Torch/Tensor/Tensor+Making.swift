// Tensors of constants, ranges and random numbers.

extension Tensor {
  private static let fullOperator = Operator("aten::full")
  private static let arangeOperator = Operator("aten::arange", "start")
  private static let uniformOperator = Operator("aten::rand", "generator")
  private static let normalOperator = Operator("aten::randn", "generator")
  private static let integerOperator = Operator("aten::randint", "low_generator")
  private static let stackOperator = Operator("aten::stack")
  private static let concatenateOperator = Operator("aten::cat")

  /// A tensor filled with `value`.
  public static func full(
    _ shape: [Int], _ value: Double, dtype: DType = .float32, device: Device = .cpu
  ) throws(TorchError) -> Tensor {
    try fullOperator.tensor(.ints(shape), .double(value), .dtype(dtype), .none, .device(device))
  }

  public static func zeros(
    _ shape: [Int], dtype: DType = .float32, device: Device = .cpu
  ) throws(TorchError) -> Tensor {
    try full(shape, 0, dtype: dtype, device: device)
  }

  /// The integers of a range, `[count]` int64.
  public static func range(_ range: Range<Int>, device: Device = .cpu) throws(TorchError) -> Tensor {
    try arangeOperator.tensor(
      .int(range.lowerBound), .int(range.upperBound), .dtype(.int64), .none, .device(device))
  }

  /// Numbers uniform in [0, 1), float32, on the generator's device.
  public static func uniform(_ shape: [Int], generator: Generator) throws(TorchError) -> Tensor {
    try uniformOperator.tensor(
      .ints(shape), .generator(generator), .dtype(.float32), .none, .device(generator.device))
  }

  /// Numbers from the standard normal distribution, float32, on the generator's device.
  public static func normal(_ shape: [Int], generator: Generator) throws(TorchError) -> Tensor {
    try normalOperator.tensor(.ints(shape), .generator(generator), .dtype(.float32), .none, .device(generator.device))
  }

  /// Integers uniform in `range`, int64, on the generator's device.
  public static func integers(
    in range: Range<Int>, _ shape: [Int], generator: Generator
  ) throws(TorchError) -> Tensor {
    try integerOperator.tensor(
      .int(range.lowerBound), .int(range.upperBound), .ints(shape), .generator(generator), .dtype(.int64), .none,
      .device(generator.device))
  }

  /// Stacks tensors of one shape along a new dimension.
  public static func stack(_ tensors: [Tensor], dimension: Int = 0) throws(TorchError) -> Tensor {
    try stackOperator.tensor(.tensors(tensors), .int(dimension))
  }

  /// Concatenates tensors along an existing dimension.
  public static func concatenate(_ tensors: [Tensor], dimension: Int = 0) throws(TorchError) -> Tensor {
    try concatenateOperator.tensor(.tensors(tensors), .int(dimension))
  }
}
