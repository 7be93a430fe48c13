import DDN
import Torch

/// Chooses what a search found, with the distances of another chooser, by which Split-and-Prune counts.
struct SearchedChooser: Chooser {
  /// For each level, `[B]`.
  let codes: [Tensor]
  let nearest: any Chooser

  func choose(from candidates: Candidates) throws -> Choice {
    Choice(codes: codes[candidates.level], distances: try nearest.choose(from: candidates).distances)
  }
}

/// Draws every image's choice.
struct DrawingChooser: Chooser {
  let generator: Generator

  func choose(from candidates: Candidates) throws -> Choice {
    Choice(codes: try .integers(in: 0..<candidates.nodes, [candidates.samples], generator: generator))
  }
}
