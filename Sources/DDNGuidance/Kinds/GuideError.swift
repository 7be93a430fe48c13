/// A guide cannot be used as it was asked for, or failed at its work: one line that says what to do.
public struct GuideError: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Kind: Sendable {
    /// What was typed cannot be used.
    case usage
    /// The guide failed at its work.
    case failed
  }

  public let kind: Kind
  public let description: String

  public init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }
}
