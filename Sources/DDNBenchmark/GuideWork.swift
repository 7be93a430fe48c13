import DDN
import DDNData
import DDNGuidance
import DDNTraining
import Torch

/// Guided generation by a pyramid network with random weights, of random images.
///
/// The original scores all K images of a level, one image of the batch after the other.
public struct GuideWork: Encodable, Sendable {
  /// As it is typed for `ddn guide`.
  public let guide: String
  public let network: PyramidWork

  init(_ guide: String, _ configuration: PyramidNetwork.Configuration, batch: Int) {
    self.guide = guide
    network = PyramidWork(.encode, configuration, batch: batch)
  }

  var batch: Int { network.batch }

  var name: String { network.name.replacing("encode", with: "guide \(guide)") }

  func prepare(_ machine: Machine) throws -> PreparedRow {
    let model = try network.makeNetwork(machine)
    let dataset = try network.makeImages()
    let targets = try TrainingImages(dataset, device: machine.device).batch(Array(0..<batch)).images
    let mix = try MixedGuide(
      [guide], for: .init(imageShape: model.imageShape, device: machine.device), levels: model.codeSpace.levels.count)
    let sampler = GuidedSampler(model, guide: mix, top: .best)
    let images = GuideBatch(
      targets: targets, targetNumbers: Array(0..<batch), seeds: (0..<batch).map { UInt64($0) })
    return PreparedRow(
      makeCase: {
        let samples = try withoutGradients { try sampler(images) }
        let pixels = try Tensor(dataset.cachedPixels!, shape: [network.images] + dataset.imageShape)
        return try network.caseWeights(model).merging([
          "input.images": pixels, "expected.codes": .stack(samples.codes.tensors(on: .cpu)),  // [L, B]
          "expected.images": samples.images,
        ]) { $1 }
      }, run: { _ = try withoutGradients { try sampler(images) } })
  }
}
