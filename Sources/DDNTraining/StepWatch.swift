/// How far a training step is, for steps that take minutes.
///
/// Backward takes about twice as long as forward. Forward is measured in levels, backward in large operators, of which it
/// has as many as forward had.
final class StepWatch {
  private var part = 0
  private var parts = 1
  private var levels = 1
  private var finishedLevels = 0
  private var forwardOperators = 0
  /// Nil in the forward pass.
  private var backwardOperators: Int?

  func begin(_ part: Int, of parts: Int, levels: Int) {
    (self.part, self.parts, self.levels) = (part, parts, levels)
    (finishedLevels, forwardOperators, backwardOperators) = (0, 0, nil)
  }

  func finishLevel() { finishedLevels += 1 }

  func beginBackward() { backwardOperators = 0 }

  /// A large operator begins.
  func count() {
    if backwardOperators == nil { forwardOperators += 1 } else { backwardOperators! += 1 }
  }

  /// The share of the step that is done, 0 to 1.
  var fraction: Double {
    let forward = Double(min(finishedLevels, levels)) / Double(levels)
    let backward = Double(min(backwardOperators ?? 0, forwardOperators)) / Double(max(forwardOperators, 1))
    return (Double(part) + (forward + 2 * backward) / 3) / Double(parts)
  }
}
