import DDN
import Torch

extension TrainingOptions {
  /// The loss that the options describe.
  ///
  /// - Parameters:
  ///   - device: of the network.
  ///   - features: of the classifier that `featureTerm` names, as of `FeatureDistance`; needed with one.
  /// - Throws: `TorchError` when memory is short.
  public func objective(
    on device: Device, features: ((Tensor) throws -> [Tensor])? = nil
  ) throws(TorchError) -> any Objective {
    let first: any Objective =
      softMinimum.map { SoftMinimum(temperature: $0) } ?? PixelObjective(loss ?? TrainingDefaults.loss)
    var others: [(weight: Double, objective: any Objective)] = []
    if let energyWeight { others.append((energyWeight, EnergyScore())) }
    if let featureTerm {
      guard let features else { preconditionFailure("a feature term needs the features of \(featureTerm.classifier)") }
      others.append((featureTerm.weight, FeatureDistance(features: features)))
    }
    if let discriminatorWeight {
      let discriminator = try Discriminator(imageShape: network.imageShape, seed: seed, device: device)
      others.append((discriminatorWeight, discriminator))
    }
    return others.isEmpty ? first : SumObjective(first, others)
  }
}
