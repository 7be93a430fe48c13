/// A failure of libtorch.
public struct TorchError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The operator or function that failed, such as `aten::conv2d`.
  public let operation: String
  /// libtorch's message, one line.
  public let message: String

  public init(operation: String, message: String) {
    self.operation = operation
    self.message = message
  }

  public var description: String { "\(operation): \(message)" }
}
