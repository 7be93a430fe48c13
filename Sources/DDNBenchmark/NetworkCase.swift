import DDN
import Torch

extension DiscreteDistributionNetwork {
  /// Parameters by their names in the case file.
  ///
  /// - Parameter originalName: the original's name of one of this network's parameters.
  func caseWeights(_ originalName: (String) -> String?) -> [String: Tensor] {
    Dictionary(
      uniqueKeysWithValues: state().map { name, tensor in
        guard let original = originalName(name) else { preconditionFailure("\(name) has no name in the original") }
        return ("weights.\(original)", tensor)
      })
  }

  /// Codes and their decoded images.
  func decodingCase(_ codes: [LatentCode]) throws -> [String: Tensor] {
    [
      "input.codes": try .stack(codes.tensors(on: .cpu)),  // [L, B]
      "expected.images": try decode(codes),
    ]
  }
}

extension Reconstruction {
  /// The expected results for a case's first images.
  var expectedOfCase: [String: Tensor] {
    get throws {
      [
        "expected.codes": try .stack(codes.tensors(on: .cpu)),  // [L, B]
        "expected.losses": try Tensor(errors.flatMap { $0 }, shape: [levels.count, codes.count]),
        "expected.images": levels.last!,
      ]
    }
  }
}
