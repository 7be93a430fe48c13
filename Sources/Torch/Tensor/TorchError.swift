/// What libtorch refused to do, and why.
public struct TorchError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The operator or function that failed, such as `aten::conv2d`.
  public let operation: String
  /// libtorch's reason, one line.
  public let message: String

  public init(operation: String, message: String) {
    self.operation = operation
    self.message = message
  }

  public var description: String { "\(operation): \(message)" }
}
