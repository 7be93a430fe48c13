import Torch

/// A network that says which class an image shows.
public protocol ImageClassifier {
  /// The number of classes, at least 2.
  var classes: Int { get }

  /// Unnormalized log-probabilities: `[N, classes]` float32.
  ///
  /// - Parameter images: `[N, C, h, w]` in [-1, 1], of any size; the classifier resizes them to its own.
  func logits(of images: Tensor) throws -> Tensor
}
