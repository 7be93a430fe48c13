import DDNFiles

/// An image that cannot be read, drawn or encoded; one line.
public struct ImageError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What is wrong, without a full stop: "there are 2 row labels for 3 rows".
  public let problem: String
  /// What to do, without a full stop: "give one per row, or none".
  public let remedy: String

  public init(problem: String, remedy: String) {
    self.problem = problem
    self.remedy = remedy
  }

  public var description: String { "\(problem); \(remedy)" }
}

extension FileError {
  /// An image error with the file's path.
  public init(_ kind: Kind, path: String, _ error: ImageError) {
    self.init(kind, path: path, problem: error.problem, remedy: error.remedy)
  }
}
