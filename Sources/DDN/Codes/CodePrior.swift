/// A distribution over codes: predicts each choice from the ones before it.
///
/// The predictions are integers that depend on integers alone, so that any machine decodes what another has encoded.
public protocol CodePrior {
  /// The codes it predicts.
  var space: CodeSpace { get }
  /// How many classes it knows; 0 for none.
  var classes: Int { get }
  /// Changes with every weight; two priors that predict differently have different ones.
  var fingerprint: UInt64 { get }

  /// Predictions for a batch, before the first choice.
  ///
  /// - Parameters:
  ///   - count: codes in the batch, B, at least 1.
  ///   - classes: `[B]`; nil for no class.
  /// - Throws: what the prior computes with, such as `TorchError`.
  func begin(count: Int, classes: [Int]?) throws -> any CodePrediction
}

/// The predictions for a batch of codes after some of their choices. Its methods throw what it computes with, such as
/// `TorchError`.
public protocol CodePrediction {
  /// `[B * K]`, row by row: how often each node of the next choice is expected, at least 1. A row's sum is less than
  /// 2^32.
  mutating func frequencies() throws -> [UInt32]

  /// Goes on to the next choice.
  ///
  /// - Parameter choices: `[B]`, in range.
  mutating func advance(_ choices: [Int]) throws

  /// Replaces the batch by continuations of its codes: new code i has the choices of code `parents[i]`.
  mutating func select(_ parents: [Int]) throws
}
