/// How long one run of a row takes.
public struct Timing: Sendable {
  /// Median seconds of one run.
  public let seconds: Double

  /// - Parameter rounds: runs that count; one before them does not.
  public init(_ row: Row, rounds: Int, _ machine: Machine) throws {
    let prepared = try row.prepare(machine)
    let times = try (0...rounds).map { _ in try machine.time(prepared) }
    seconds = times.dropFirst().sorted()[rounds / 2]
  }
}
