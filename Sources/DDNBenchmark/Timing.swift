/// The duration of a row's run.
public struct Timing: Sendable {
  /// Median seconds per run.
  public let seconds: Double

  /// - Parameter rounds: timed runs, after one warm-up run.
  public init(_ row: Row, rounds: Int, _ machine: Machine) throws {
    let prepared = try row.prepare(machine)
    let times = try (0...rounds).map { _ in try machine.time(prepared) }
    seconds = times.dropFirst().sorted()[rounds / 2]
  }
}
