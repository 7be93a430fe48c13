/// Progress within a training step, for steps that take minutes.
///
/// Counts levels in the forward pass and large operators in the backward pass, which has as many as the forward pass
/// and takes about twice as long.
final class StepProgress {
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

  /// The search for codes, if any, is not counted.
  func finishSearch() { forwardOperators = 0 }

  func finishLevel() { finishedLevels += 1 }

  func beginBackward() { backwardOperators = 0 }

  /// Called before every large operator.
  func countOperator() {
    if backwardOperators == nil { forwardOperators += 1 } else { backwardOperators! += 1 }
  }

  /// The finished fraction of the step, in 0...1.
  var fraction: Double {
    let forward = Double(min(finishedLevels, levels)) / Double(levels)
    let backward = Double(min(backwardOperators ?? 0, forwardOperators)) / Double(max(forwardOperators, 1))
    return (Double(part) + (forward + 2 * backward) / 3) / Double(parts)
  }
}
