import Torch

/// Scores a level's candidates; the one place to add a condition such as a mask, a classifier or a text.
///
/// Wrap a guide in `BestChooser` or `TopChooser` to follow it through the levels.
/// Source: paper, section 3.3 (zero-shot conditional generation).
public protocol Guide {
  /// Scores of all candidates: `[B, K]` float32, higher is better.
  ///
  /// - Throws: `TorchError` when libtorch fails; what the guide's own work throws.
  func scores(of candidates: Candidates) throws -> Tensor
}

/// Chooses the candidate with a guide's highest score; the lowest index among equals.
public struct BestChooser: Chooser {
  private let guide: any Guide

  public init(_ guide: any Guide) { self.guide = guide }

  public func choose(from candidates: Candidates) throws -> Choice {
    Choice(codes: try (guide.scores(of: candidates) * -1).argmin(1))
  }
}

/// Chooses one of the `count` candidates with a guide's highest scores, all with the same probability.
///
/// Random choices among good ones keep guided samples diverse.
/// Source: paper, section 3.3; the original program takes 2.
public struct TopChooser: Chooser {
  private let guide: any Guide
  private let count: Int
  private let draws: SeededDraws

  /// - Parameters:
  ///   - guide: scores the candidates.
  ///   - count: at least 1; more than K means all.
  ///   - draws: of as many seeds as images in the batch.
  public init(_ guide: any Guide, count: Int, draws: SeededDraws) {
    precondition(count >= 1, "top \(count) is not at least 1")
    self.guide = guide
    self.count = count
    self.draws = draws
  }

  public func choose(from candidates: Candidates) throws -> Choice {
    let ranked = try guide.scores(of: candidates).sortedIndices(descending: true)  // [B, K]
    let place = try draws.integers(below: min(count, candidates.nodes), level: candidates.level)  // [B]
    return Choice(codes: try ranked.picked(place.reshaped([-1, 1])).reshaped([-1]))
  }
}
