import DDN

/// A model as clients see it.
struct ModelCard: Encodable, Sendable {
  struct Level: Encodable, Sendable {
    /// K.
    let nodes: Int
    /// Pixels on a side.
    let side: Int
  }

  let name: String
  let levels: [Level]
  /// 1 for gray, 3 for RGB.
  let channels: Int
  /// Pixels on a side.
  let side: Int
  /// Of a whole code.
  let bits: Double
  let classes: [String]
  /// Whether every image needs a class; otherwise a guide can ask for one.
  let needsClass: Bool
  let hasPrior: Bool
  /// The kinds of guides that `draw` takes.
  let guides: [String]
  /// Name of the data set; nil when unknown.
  let data: String?

  init(_ served: ServedModel, hasTexts: Bool) {
    let (space, shape) = (served.network.codeSpace, served.network.imageShape)
    name = served.name
    levels = space.levels.map { Level(nodes: $0.nodes, side: $0.side) }
    (channels, side) = (shape[0], shape[2])
    bits = space.bits
    classes = served.classNames
    needsClass = served.isConditional
    hasPrior = served.prior != nil
    data = served.training?.data
    guides =
      ["strokes", "mask", "sr"] + (channels == 3 ? ["gray"] : [])
      + (!needsClass && !classes.isEmpty ? ["class"] : []) + (channels == 3 && hasTexts ? ["clip"] : [])
  }
}
