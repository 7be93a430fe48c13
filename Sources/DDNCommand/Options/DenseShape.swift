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

  @Option(
    parsing: .unconditional,
    help: """
      Choose so many nodes from the features of one pass, one after the other; their images add up. They count as \
      levels. (default: 1)
      """,
    transform: wholeNumber(in: 1...1024))
  var choices: Int?

  @Option(
    parsing: .unconditional,
    help: .init(
      "Choose a node for each of N x N patches from the features of one pass. They count as levels. (default: 1)",
      valueName: "N"),
    transform: wholeNumber(in: 1...32))
  var patches: Int?

  @Option(
    parsing: .unconditional,
    help: "Choose a node and one of Q learned factors; --nodes counts their pairs. No Split-and-Prune. (default: 1)",
    transform: wholeNumber(in: 1...64))
  var gains: Int?

  @Option(
    parsing: .unconditional,
    help: .init(
      """
      Train an autoencoder of the components first; levels compute its N latents. (default: none: levels compute \
      components)
      """, valueName: "N"),
    transform: wholeNumber(in: 1...4096))
  var latents: Int?

  @Option(
    parsing: .unconditional, help: "Hidden numbers of the autoencoder. (default: \(Self.defaultLatentWidth))",
    transform: wholeNumber(in: 1...8192))
  var latentWidth: Int?

  static let defaultLatentWidth = 256

  func validate() throws {
    if latentWidth != nil, latents == nil {
      throw ValidationError("--latent-width is for --latents; add it, or leave both out")
    }
    if choices != nil, patches != nil {
      throw ValidationError("--choices and --patches exclude each other; leave one out")
    }
  }

  /// Names of the given options.
  var givenNames: [String] {
    named([
      ("--components", components != nil), ("--rank", rank != nil), ("--blocks", blocks != nil),
      ("--shared-levels", sharedLevels), ("--choices", choices != nil), ("--patches", patches != nil),
      ("--gains", gains != nil), ("--latents", latents != nil), ("--latent-width", latentWidth != nil),
    ])
  }

  /// The network for images.
  ///
  /// - Parameters:
  ///   - shape: the options that other networks have, too.
  ///   - imageShape: `[C, H, W]`.
  ///   - classes: that it is conditioned on; 0 for none.
  func configuration(_ shape: NetworkShape, imageShape: [Int], classes: Int) -> DenseNetwork.Configuration {
    let values = imageShape.reduce(1, *)
    let components = components ?? min(max(denseDefaults.components, latents ?? 0), values)
    let coordinates = latents ?? components
    return .init(
      imageShape: imageShape, components: components, nodes: shape.nodes ?? denseDefaults.nodes,
      levels: shape.levels ?? denseDefaults.levels, width: shape.width ?? denseDefaults.width,
      blocks: blocks ?? denseDefaults.blocks,
      nodeFeatures: shape.nodeFeatures ?? denseDefaults.nodeFeatures,
      rank: rank ?? min(denseDefaults.rank, coordinates),
      sharesLevels: sharedLevels, classes: classes, choices: severalChoices, gains: gains == 1 ? nil : gains,
      latents: latents.map { .init(count: $0, width: latentWidth ?? Self.defaultLatentWidth) })
  }

  private var severalChoices: DenseNetwork.Configuration.Choices? {
    if let choices, choices > 1 { return .sum(choices) }
    if let patches, patches > 1 { return .patches(side: patches) }
    return nil
  }
}
