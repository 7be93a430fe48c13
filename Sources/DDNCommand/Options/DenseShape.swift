import ArgumentParser
import DDN

let denseDefaults = DenseNetwork.Configuration(imageShape: [1, 32, 32])

/// The network options of `ddn train` that only dense networks have.
struct DenseRules: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: "P, principal components of the images; the rest of an image is lost. (default: \(denseDefaults.components))",
    transform: wholeNumber(in: 1...4096))
  var components: Int?

  @Option(
    parsing: .unconditional,
    help: "Dimensions of the features of a level, at most P. (default: \(denseDefaults.rank))",
    transform: wholeNumber(in: 1...4096))
  var rank: Int?

  @Option(
    parsing: .unconditional, help: "Residual blocks of a level. (default: \(denseDefaults.blocks))",
    transform: wholeNumber(in: 0...64))
  var blocks: Int?

  @Flag(help: "All levels have the same weights: a smaller file.")
  var sharedLevels = false

  /// Names of the given options.
  var givenNames: [String] {
    named([
      ("--components", components != nil), ("--rank", rank != nil), ("--blocks", blocks != nil),
      ("--shared-levels", sharedLevels),
    ])
  }

  /// The network for images.
  ///
  /// - Parameters:
  ///   - shape: the options that other networks have, too.
  ///   - imageShape: `[C, H, W]`.
  ///   - classes: that it is conditioned on; 0 for none.
  func configuration(_ shape: NetworkShape, imageShape: [Int], classes: Int) -> DenseNetwork.Configuration {
    let components = components ?? min(denseDefaults.components, imageShape.reduce(1, *))
    return .init(
      imageShape: imageShape, components: components, nodes: shape.nodes ?? denseDefaults.nodes,
      levels: shape.levels ?? denseDefaults.levels, width: shape.width ?? denseDefaults.width,
      blocks: blocks ?? denseDefaults.blocks,
      nodeFeatures: shape.nodeFeatures ?? denseDefaults.nodeFeatures, rank: rank ?? min(denseDefaults.rank, components),
      sharesLevels: sharedLevels, classes: classes)
  }
}
