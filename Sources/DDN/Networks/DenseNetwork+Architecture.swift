import Torch

extension DenseNetwork.Configuration: NetworkArchitecture {
  public static var kind: String { "dense" }
  public static var noun: String { "dense network" }

  public func validate() throws(ConfigurationError) {
    guard imageShape.count == 3, [1, 3].contains(imageShape[0]), imageShape[1] == imageShape[2],
      (1...1024).contains(imageShape[1])
    else { throw ConfigurationError("images of shape \(imageShape) are not [1 or 3, N, N]") }
    let values = imageShape.reduce(1, *)
    if values > PrincipalAxes.maxValues {
      throw ConfigurationError(
        "a dense network takes images of at most \(PrincipalAxes.maxValues) values, not \(values)")
    }
    if !(1...values).contains(components) {
      throw ConfigurationError("\(components) components are not within 1...\(values), the values of an image")
    }
    if let latents {
      if !(1...components).contains(latents.count) || !(1...8192).contains(latents.width) {
        throw ConfigurationError(
          "\(latents.count) latents of width \(latents.width) are not within 1...\(components), the components, and 1...8192"
        )
      }
      if patchSide > 1 { throw ConfigurationError("patches have no autoencoder") }
    }
    if !(1...coordinates).contains(rank) {
      throw ConfigurationError(
        "a rank of \(rank) is not within 1...\(coordinates), the \(latents == nil ? "components" : "latents")")
    }
    if !(2...4096).contains(nodes) { throw ConfigurationError("\(nodes) nodes a level are not within 2...4096") }
    if !(1...1024).contains(levels) { throw ConfigurationError("\(levels) levels are not within 1...1024") }
    if !(1...8192).contains(width) { throw ConfigurationError("a width of \(width) is not within 1...8192") }
    if !(0...64).contains(blocks) { throw ConfigurationError("\(blocks) blocks a level are not within 0...64") }
    if !(1...1024).contains(nodeFeatures) {
      throw ConfigurationError("\(nodeFeatures) features for a node are not within 1...1024")
    }
    let count = choicesPerPass
    guard (1...1024).contains(count), levels % count == 0 else {
      throw ConfigurationError("\(levels) levels do not divide into passes of \(count) choices")
    }
    if case .patches(let side) = choices, imageShape[1] % side != 0 || components % count != 0 {
      throw ConfigurationError(
        "\(side) x \(side) patches do not divide images of \(imageShape[1]) pixels and \(components) components")
    }
    if let gains, !(1...64).contains(gains) || nodes % gains != 0 {
      throw ConfigurationError("\(nodes) nodes do not divide into \(gains) gains")
    }
    if classes != 0, !(2...1_000_000).contains(classes) {
      throw ConfigurationError("\(classes) classes are not 0 or within 2...1000000")
    }
  }

  public var codeSpace: CodeSpace { CodeSpace(nodes: nodes, levels: levels, side: imageShape[1]) }
  public var conditions: [ConditionKind] { classes == 0 ? [] : [.classNumber(of: classes)] }

  /// Exactly the parameter count.
  public var parameterLowerBound: Int {
    let values = imageShape.reduce(1, *)
    let gains = gains ?? 1
    let block = 2 * width + 2 * width * (width + 1) + width * (2 * width + 1)
    let basis = rank == coordinates ? 0 : rank * coordinates
    let nodesOfChoice = nodes / gains * nodeFeatures + (gains > 1 ? gains : 0)
    var pass = width * (coordinates + 1) + blocks * block + 2 * width
    pass += nodeFeatures * rank * (width + 1) + basis + choicesPerPass * nodesOfChoice
    let autoencoder = latents?.parameterCount(components: components) ?? 0
    return autoencoder + values * (components + 1) + 1 + (passes + classes) * width + (sharesLevels ? 1 : passes) * pass
  }

  public var multiplyAdds: Int? {
    passes * (width * (coordinates + 4 * width * blocks + nodeFeatures * rank) + nodeFeatures * rank * coordinates)
  }

  public var formatVersion: Int { latents != nil ? 5 : choices == nil && gains == nil ? 3 : 4 }

  public var summary: String {
    "\(nodes) nodes x \(levels) levels, dense, \(components) components\(latentSummary), width \(width), \(nodeFeatures) node features"
      + (sharesLevels ? ", shared levels" : "") + choicesSummary + (classes > 0 ? ", \(classes) classes" : "")
  }

  private var latentSummary: String { latents.map { ", \($0.count) latents" } ?? "" }

  private var choicesSummary: String {
    let gains = gains.map { ", \($0) gains" } ?? ""
    switch choices {
    case .sum(let count): return ", \(count) nodes a pass" + gains
    case .patches(let side): return ", \(side) x \(side) patches" + gains
    case nil: return gains
    }
  }

  public func weightDifference(from other: Self) -> String? {
    let differences = [
      difference("images of", imageShape, other.imageShape), difference("components", components, other.components),
      difference("nodes", nodes, other.nodes), difference("levels", levels, other.levels),
      difference("width", width, other.width), difference("blocks", blocks, other.blocks),
      difference("node features", nodeFeatures, other.nodeFeatures), difference("rank", rank, other.rank),
      difference("shared levels", sharesLevels, other.sharesLevels), difference("classes", classes, other.classes),
      difference("choices a pass", choicesPerPass, other.choicesPerPass),
      difference("patches on a side", patchSide, other.patchSide), difference("gains", gains ?? 1, other.gains ?? 1),
      difference("latents", latents?.count ?? 0, other.latents?.count ?? 0),
      difference("autoencoder width", latents?.width ?? 0, other.latents?.width ?? 0),
    ]
    return differences.lazy.compactMap(\.self).first
  }

  public func makeNetwork(generator: Generator) throws(TorchError) -> any DiscreteDistributionNetwork {
    try DenseNetwork(self, generator: generator)
  }
}
