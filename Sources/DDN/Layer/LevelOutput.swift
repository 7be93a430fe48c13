import Torch

/// What one level chose and computed.
public struct LevelOutput {
  /// The level, from 0.
  public let level: Int
  /// `[B]` int64, the chosen node of every image.
  public let codes: Tensor
  /// `[B, K]` distances to the target, if the chooser has one.
  public let distances: Tensor?
  /// The paths after this level's choice.
  public let paths: SharedPaths
  /// `[R, C, H, W]`, the chosen images, one row per path; of a network with components `[R, 1, 1, P]` coefficients.
  public let chosen: Tensor
  /// Whose coefficients the chosen images are; nil for pixels.
  public let components: PrincipalComponents?
  /// `[R, C, H, W]`, the chosen node applied to the second half of the features, a hint for the next level; nil without
  /// leak choice.
  ///
  /// Source: paper, section 3.4 (Leak Choice).
  public let leakedChoice: Tensor?
  /// The features that the chosen images are computed from.
  let featureRows: InheritedRows
  /// `[R]` int64, the row before this level's choice that each row continues; nil when row r continues row r.
  public var parentOfRow: Tensor? { featureRows.parents }

  /// `[R, featureChannels, H, W]`, the features that the chosen images are computed from, as the network computed them:
  /// in a basis their coordinates. Gathered at each call.
  public var features: Tensor { get throws(TorchError) { try featureRows.tensor } }

  /// `[R, C, H, W]`, the chosen images, one row per path; computed at each call for a network with components.
  public var images: Tensor {
    get throws(TorchError) { try chosenImages.rows }
  }

  /// `[B, C, H, W]`, the chosen image of every image of the batch.
  public func imagesPerSample() throws(TorchError) -> Tensor { try chosenImages.perSample() }

  /// `[B]`, the distance of every chosen image to the target.
  public func losses(
    to target: Target, measure: NodeDistances.Measure = .squared
  ) throws(TorchError) -> Tensor { try chosenImages.losses(to: target, measure: measure) }

  var chosenImages: ChosenImages { ChosenImages(paths: paths, chosen: chosen, components: components) }
}

/// Rows of a tensor, copied only when they are read: they are large, and not every network continues from them.
struct InheritedRows {
  /// `[R', ...]`.
  let source: Tensor
  /// `[R]` int64, the source's row of each row; nil when they are the source's.
  var parents: Tensor?

  /// `[R, ...]`.
  var tensor: Tensor {
    get throws(TorchError) { try parents.map { (rows) throws(TorchError) in try source.gathered(rows) } ?? source }
  }

  func selecting(_ selection: SharedPaths.Selection) throws(TorchError) -> InheritedRows {
    guard let rows = selection.rows else { return self }
    return InheritedRows(
      source: source, parents: try parents.map { (all) throws(TorchError) in try all.gathered(rows) } ?? rows)
  }
}

/// The images that a batch chose at one level, without what the next level needs.
struct ChosenImages {
  let paths: SharedPaths
  /// `[R, C, H, W]`, or `[R, 1, 1, P]` coefficients.
  let chosen: Tensor
  let components: PrincipalComponents?

  /// `[R, C, H, W]`.
  var rows: Tensor {
    get throws(TorchError) {
      guard let components else { return chosen }
      return try components.images(of: chosen)
    }
  }

  /// `[B, C, H, W]`.
  func perSample() throws(TorchError) -> Tensor { try paths.perSample(rows) }

  /// Those of some images of the batch.
  ///
  /// - Parameter samples: `[B']` int64 in 0..<B.
  func selecting(_ samples: Tensor) throws(TorchError) -> ChosenImages {
    let selection = try paths.selecting(samples)
    return ChosenImages(paths: selection.paths, chosen: try selection.inherit(chosen), components: components)
  }

  /// `[B]`, the distance of every image to its target.
  func losses(to target: Target, measure: NodeDistances.Measure = .squared) throws(TorchError) -> Tensor {
    if let components, measure == .squared {
      let projection = try target.projected(on: components)
      let decoded = try paths.perSample(components.decode(chosen))
      return try components.distances(decoded, projection.all) + projection.remainderOfAll
    }
    let images = try perSample()
    let shape = images.shape
    let difference = try images - target.sized(height: shape[2], width: shape[3])
    return try (measure == .squared ? difference.squared() : difference.absolute()).mean([1, 2, 3])
  }
}
