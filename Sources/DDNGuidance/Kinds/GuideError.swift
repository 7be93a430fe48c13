/// A guide cannot be used as it was asked for, or failed at its work: one line that says what to do.
public struct GuideError: Error, Equatable, Sendable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}
