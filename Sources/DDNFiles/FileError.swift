/// What is wrong with a file, where, and what to do; one line.
public struct FileError: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Kind: Sendable, Equatable {
    /// The file or folder does not exist.
    case missing
    /// The content is malformed or unsupported.
    case invalid
    /// Reading or writing failed: permissions, a full disk, a broken device.
    case failed
  }

  public let kind: Kind
  public let path: String
  /// What is wrong, without a full stop: "ends after 12 of 784 bytes".
  public let problem: String
  /// What to do, without a full stop: "download it again".
  public let remedy: String

  public init(_ kind: Kind, path: String, problem: String, remedy: String) {
    self.kind = kind
    self.path = path
    self.problem = problem
    self.remedy = remedy
  }

  public var description: String { "\(path): \(problem); \(remedy)" }
}
