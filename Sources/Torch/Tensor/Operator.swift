import CTorch

extension Operator {
  /// An argument of an operator: libtorch's boxed values.
  public enum Argument {
    case none
    case tensor(Tensor)
    case int(Int)
    case double(Double)
    case bool(Bool)
    case string(String)
    case ints([Int])
    case tensors([Tensor])
    case optionalTensors([Tensor?])
    case device(Device)
    case generator(Generator)

    /// A type, which operators take as its number; nil keeps the input's type.
    public static func dtype(_ type: DType?) -> Argument { type.map { .int($0.scalarType) } ?? .none }
    public static func optional(_ tensor: Tensor?) -> Argument { tensor.map { .tensor($0) } ?? .none }
  }

  /// A result of an operator.
  public enum Outcome {
    case none
    case tensor(Tensor)
    case int(Int)
    case double(Double)
    case bool(Bool)
    case tensors([Tensor])
  }
}

/// One operator of libtorch, looked up once by its schema name: `Operator("aten::add", "Tensor")`.
///
/// Calls go through the dispatcher, so autograd, autocast and every device work as in PyTorch.
public struct Operator: @unchecked Sendable {
  public let name: String
  private let found: Result<ct_operator, TorchError>

  /// Looks the operator up; one that this libtorch lacks throws when called.
  public init(_ name: String, _ overload: String = "") {
    self.name = name
    var handle: ct_operator?
    let status = ct_operator_find(name, overload, &handle)
    do throws(TorchError) {
      try check(name, status)
      found = .success(handle!)
    } catch {
      found = .failure(error)
    }
  }

  /// Calls the operator; arguments omitted at the end take the schema's defaults.
  ///
  /// - Throws: `TorchError` with libtorch's reason: mismatched shapes, out of memory, an unsupported type.
  @discardableResult
  public func callAsFunction(_ arguments: Argument...) throws(TorchError) -> [Outcome] {
    try call(arguments)
  }

  /// Calls an operator whose first result is a tensor.
  public func tensor(_ arguments: Argument...) throws(TorchError) -> Tensor {
    guard case .tensor(let tensor)? = try call(arguments).first else {
      preconditionFailure("\(name) does not return a tensor first")
    }
    return tensor
  }

  /// Calls an operator whose first result is a list of tensors.
  public func tensors(_ arguments: Argument...) throws(TorchError) -> [Tensor] {
    guard case .tensors(let tensors)? = try call(arguments).first else {
      preconditionFailure("\(name) does not return a list of tensors first")
    }
    return tensors
  }

  private func call(_ arguments: [Argument]) throws(TorchError) -> [Outcome] {
    let handle = try found.get()
    var scratch = Scratch()
    defer { scratch.free() }
    let values = arguments.map { scratch.value(of: $0) }
    var results = [ct_value](repeating: ct_value(), count: 8)
    var count = results.count
    // The tensors must outlive the call.
    let status = withExtendedLifetime(arguments) {
      ct_operator_call(handle, values, values.count, &results, &count)
    }
    try check(name, status)
    return results[..<count].map(Outcome.init(taking:))
  }
}

extension Operator.Outcome {
  /// Takes ownership of the handles in a result of the C interface.
  fileprivate init(taking value: ct_value) {
    switch value.tag {
    case CT_TENSOR: self = .tensor(Tensor(owning: value.tensor))
    case CT_INT: self = .int(Int(value.i))
    case CT_DOUBLE: self = .double(value.d)
    case CT_BOOL: self = .bool(value.i != 0)
    case CT_TENSORS:
      let handles = value.pointer!.assumingMemoryBound(to: ct_tensor.self)
      self = .tensors((0..<Int(value.count)).map { Tensor(owning: handles[$0]) })
      ct_tensors_free(value.pointer)
    default: self = .none
    }
  }
}

/// Memory for the list arguments of a call.
private struct Scratch {
  private var blocks: [UnsafeMutableRawPointer] = []

  mutating func free() {
    for block in blocks { block.deallocate() }
  }

  private mutating func copy<Element>(_ elements: [Element]) -> UnsafeRawPointer {
    let block = UnsafeMutablePointer<Element>.allocate(capacity: max(elements.count, 1))
    block.initialize(from: elements, count: elements.count)
    blocks.append(UnsafeMutableRawPointer(block))
    return UnsafeRawPointer(block)
  }

  mutating func value(of argument: Operator.Argument) -> ct_value {
    var value = ct_value()
    switch argument {
    case .none: value.tag = CT_NONE
    case .tensor(let tensor): (value.tag, value.tensor) = (CT_TENSOR, tensor.handle)
    case .int(let number): (value.tag, value.i) = (CT_INT, Int64(number))
    case .double(let number): (value.tag, value.d) = (CT_DOUBLE, number)
    case .bool(let flag): (value.tag, value.i) = (CT_BOOL, flag ? 1 : 0)
    case .string(let text):
      let bytes = Array(text.utf8)
      (value.tag, value.pointer, value.count) = (CT_STRING, copy(bytes), Int64(bytes.count))
    case .ints(let numbers):
      (value.tag, value.pointer, value.count) = (CT_INTS, copy(numbers.map(Int64.init)), Int64(numbers.count))
    case .tensors(let tensors):
      (value.tag, value.pointer, value.count) = (CT_TENSORS, copy(tensors.map(\.handle)), Int64(tensors.count))
    case .optionalTensors(let tensors):
      let handles = tensors.map { $0?.handle }
      (value.tag, value.pointer, value.count) = (CT_OPTIONAL_TENSORS, copy(handles), Int64(tensors.count))
    case .device(let device):
      (value.tag, value.i, value.count) = (CT_DEVICE, Int64(device.type), Int64(device.index))
    case .generator(let generator): (value.tag, value.generator) = (CT_GENERATOR, generator.handle)
    }
    return value
  }
}
