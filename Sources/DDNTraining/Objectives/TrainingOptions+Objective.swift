import Torch

extension TrainingOptions {
  /// The loss that the options describe.
  ///
  /// - Parameter features: of the classifier that `featureTerm` names, as of `FeatureDistance`; needed with one.
  public func objective(features: ((Tensor) throws -> [Tensor])? = nil) -> any Objective {
    let first: any Objective =
      softMinimum.map { SoftMinimum(temperature: $0) } ?? PixelObjective(loss ?? TrainingDefaults.loss)
    var others: [(weight: Double, objective: any Objective)] = []
    if let energyWeight { others.append((energyWeight, EnergyScore())) }
    if let featureTerm {
      guard let features else { preconditionFailure("a feature term needs the features of \(featureTerm.classifier)") }
      others.append((featureTerm.weight, FeatureDistance(features: features)))
    }
    return others.isEmpty ? first : SumObjective(first, others)
  }
}
