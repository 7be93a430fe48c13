/// How long something takes, measured in turns with what it is compared to.
public struct Timing: Sendable {
  /// Median seconds of one run.
  public let seconds: Double

  /// Times several things in turns, so that a machine that is slow for a while is slow for all of them.
  ///
  /// - Parameters:
  ///   - rounds: runs of each that count; one before them does not.
  ///   - bodies: what to run.
  /// - Returns: one timing for each body.
  public static func inTurns(rounds: Int, _ bodies: [() throws -> Void]) throws -> [Timing] {
    let clock = ContinuousClock()
    var seconds = bodies.map { _ in [Double]() }
    for round in 0...rounds {
      for (index, body) in bodies.enumerated() {
        let time = try clock.measure(body) / .seconds(1)
        if round > 0 { seconds[index].append(time) }
      }
    }
    return seconds.map { Timing(seconds: $0.sorted()[rounds / 2]) }
  }
}
