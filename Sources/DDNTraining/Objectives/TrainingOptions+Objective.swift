import DDN
import Torch

extension TrainingOptions {
  /// The loss that the options describe.
  ///
  /// - Parameters:
  ///   - device: of the network.
  ///   - featureMaps: of the classifier that `featureTerm` names, as of `FeatureDistance`; needed with one.
  ///   - sampleFeatures: of the classifier that `sampleTerm` names, as of `SampleEnergyDistance`; needed with one.
  /// - Throws: `TorchError` when memory is short.
  public func objective(
    on device: Device, featureMaps: ((Tensor) throws -> [Tensor])? = nil,
    sampleFeatures: ((Tensor) throws -> Tensor)? = nil
  ) throws(TorchError) -> any Objective {
    let first: any Objective =
      softMinimum.map { SoftMinimum(temperature: $0) } ?? PixelObjective(loss ?? TrainingDefaults.loss)
    var others: [(weight: Double, objective: any Objective)] = []
    if let energyWeight { others.append((energyWeight, EnergyScore())) }
    if let featureTerm {
      guard let featureMaps else { preconditionFailure("a feature term needs the maps of \(featureTerm.classifier)") }
      others.append((featureTerm.weight, FeatureDistance(features: featureMaps)))
    }
    if let sampleTerm {
      guard let sampleFeatures else {
        preconditionFailure("a sample term needs the features of \(sampleTerm.classifier)")
      }
      others.append((sampleTerm.weight, SampleEnergyDistance(features: sampleFeatures)))
    }
    if let discriminatorWeight {
      let discriminator = try Discriminator(imageShape: network.imageShape, seed: seed, device: device)
      others.append((discriminatorWeight, discriminator))
    }
    return others.isEmpty ? first : SumObjective(first, others)
  }
}
