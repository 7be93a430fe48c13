import DDN
import Torch

// What rows with a network write into the case file.

extension DiscreteDistributionNetwork {
  /// Parameters under the names of the case file.
  ///
  /// - Parameter originalName: the original's name of one of this network's parameters.
  func caseWeights(_ originalName: (String) -> String?) -> [String: Tensor] {
    Dictionary(
      uniqueKeysWithValues: state().map { name, tensor in
        guard let original = originalName(name) else { preconditionFailure("\(name) has no other name") }
        return ("weights.\(original)", tensor)
      })
  }

  /// Codes, and the images that they give here.
  func decodingCase(_ codes: [LatentCode]) throws -> [String: Tensor] {
    [
      "input.codes": try .stack(codes.tensors(on: .cpu)),  // [L, B]
      "expected.images": try decode(codes),
    ]
  }
}

extension Reconstruction {
  /// What was found of the first images of a case.
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
