import DDN
import DDNFiles

/// Collects the weights and node statistics of a pickled network.
///
/// Follows only `_parameters`, `_buffers` and `_modules`: `_init_args` holds a second, untrained set of weights.
struct ModuleReader {
  private var tensors: TensorReader
  private var graph: PickleGraph { tensors.graph }

  /// Parameters and buffers by their names in the original's state dictionary.
  private(set) var state: [String: OriginalTensor] = [:]
  /// By layer name.
  private(set) var statistics: [String: NodeStatistics] = [:]
  /// The original's option `--condition`; nil for an unconditional network.
  private(set) var condition: String?
  /// The previous image of the first level; nil for zeros.
  private(set) var initialImage: InitialImage?

  private static let classes: Set = [
    "DDNPrecond", "PHDDNHandsDense", "DiscreteDistributionBlock", "UNetBlockWoEmb", "GroupNorm", "Conv2d",
  ]
  /// The original's networks have depth 5.
  private static let maxDepth = 12

  /// Graph indices of visited modules and dictionaries: sharing them could make a small file arbitrarily expensive.
  private var visited: Set<Int> = []

  init(_ tensors: TensorReader) { self.tensors = tensors }

  mutating func read(_ network: PickleValue) throws(ImportError) {
    try collect(network, path: "", depth: 0)
  }

  private mutating func collect(_ value: PickleValue, path: String, depth: Int) throws(ImportError) {
    let what = path.isEmpty ? "the network" : String(path.dropLast())
    guard depth <= Self.maxDepth else { throw ImportError("has modules nested deeper than \(Self.maxDepth)") }
    let (name, attributes) = try module(value, what, isNetwork: depth == 0)
    guard depth > 0 || name == "DDNPrecond" else {
      throw ImportError("holds a \(name), not the original's network DDNPrecond")
    }
    try check(name, attributes, what)
    for kind in ["_parameters", "_buffers"] {
      for (key, value) in try parts(kind, attributes, what) {
        let name = path + key
        if case .none = value { continue }
        guard state.updateValue(try tensors.tensor(value, name), forKey: name) == nil else {
          throw ImportError("has the tensor \(quoted(name)) twice")
        }
      }
    }
    if name == KnownGlobal.layer.rawValue {
      let counters = try NodeStatistics(original: attribute("sdd", attributes, what), in: graph, "\(what).sdd")
      try tensors.charge(8 * counters.nodes * (counters.nodes + 3) + 4 * counters.splitImages.count)
      statistics[what] = counters
    }
    for (key, child) in try parts("_modules", attributes, what) {
      if case .none = child { continue }
      try collect(child, path: path + key + ".", depth: depth + 1)
    }
  }

  /// A module's parts of one kind, in order.
  private mutating func parts(
    _ kind: String, _ attributes: [String: PickleValue], _ what: String
  ) throws(ImportError) -> [(name: String, value: PickleValue)] {
    let value = try attribute(kind, attributes, what)
    try visit(value, "\(what)'s \(kind)")
    return try graph.pairs(value, "\(what)'s \(kind)").map { (key, value) throws(ImportError) in
      let name = try graph.text(key, "a name in \(what)")
      let isPlain = name.utf8.count <= 100 && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
      guard isPlain else { throw ImportError("\(what) has a part with the invalid name \(quoted(name))") }
      return (name, value)
    }
  }

  /// Refuses shared parts.
  private mutating func visit(_ value: PickleValue, _ what: String) throws(ImportError) {
    guard case .node(let place) = value, !visited.insert(place).inserted else { return }
    throw ImportError("\(what) is shared with another part of the network, which is not supported")
  }

  /// A module's class and attributes.
  private mutating func module(
    _ value: PickleValue, _ what: String, isNetwork: Bool
  ) throws(ImportError) -> (name: String, attributes: [String: PickleValue]) {
    try visit(value, what)
    guard let object = graph.object(value) else { throw graph.unexpected(value, what, "a module") }
    guard object.global == .persistentObject else {
      guard object.global.use == .instance else { throw graph.unexpected(value, what, "a module") }
      return (object.global.rawValue, try self.attributes(object.state, what))
    }
    let arguments = try graph.tuple(object.arguments, what)
    guard arguments.count == 1 else { throw ImportError("\(what) is an object of \(arguments.count) arguments") }
    try visit(arguments[0], what)
    let fields = try graph.members(arguments[0], what)
    guard case .text("class")? = fields["type"], case .integer(6)? = fields["version"] else {
      throw ImportError("\(what) is not an object of the original's persistence, version 6")
    }
    let name = try graph.text(attribute("class_name", fields, what), "the class of \(what)")
    if isNetwork, name.hasSuffix("Precond"), name != "DDNPrecond" {
      throw ImportError(
        "holds a diffusion network (\(quoted(name))), not a DDN",
        remedy: "use a snapshot trained with --arch=ddn")
    }
    guard Self.classes.contains(name) else {
      throw ImportError("\(what) has the unsupported class \(quoted(name))")
    }
    return (name, try self.attributes(attribute("state", fields, what), what))
  }

  private mutating func attributes(_ value: PickleValue, _ what: String) throws(ImportError) -> [String: PickleValue] {
    try visit(value, "the state of \(what)")
    return try graph.members(value, "the state of \(what)")
  }

  private func attribute(
    _ name: String, _ attributes: [String: PickleValue], _ what: String
  ) throws(ImportError) -> PickleValue {
    guard let value = attributes[name] else { throw ImportError("\(what) has no \(name)") }
    return value
  }

  /// Refuses attributes that change the computation and that tensor shapes do not show.
  private mutating func check(
    _ name: String, _ attributes: [String: PickleValue], _ what: String
  ) throws(ImportError) {
    func expect(_ attribute: String, _ expected: Double) throws(ImportError) {
      let found = try number(self.attribute(attribute, attributes, what), "\(what).\(attribute)")
      guard abs(found - expected) <= 1e-6 * abs(expected) else {
        throw ImportError("\(what).\(attribute) is \(found), and only \(expected) is supported")
      }
    }
    switch name {
    case "PHDDNHandsDense":
      let rounds = try number(attribute("refiner_repeatn", attributes, what), "\(what).refiner_repeatn")
      guard rounds == 0 else {
        throw ImportError(
          "has a refiner of \(rounds) rounds after the pyramid (--refinern), which is not supported",
          remedy: "use a snapshot trained with --refinern=0")
      }
      // The attribute is as old as the initial image of zeros.
      if attributes["scalis"] == nil { initialImage = .channelRamp }
      if let type = attributes["condition_type"] {
        if case .none = type {} else { condition = try graph.text(type, "\(what).condition_type") }
      }
    case "UNetBlockWoEmb":
      try expect("skip_scale", 0.5.squareRoot())
      try expect("num_heads", 0)
    case "GroupNorm": try expect("eps", 1e-6)
    case KnownGlobal.layer.rawValue:
      guard try graph.bool(attribute("leak_choice", attributes, what), "\(what).leak_choice") else {
        throw ImportError("\(what) has no leaked choice, which pyramids need here")
      }
      for name in ["loss_func", "distance_func"] {
        if let function = attributes[name] {
          guard case .none = function else { throw graph.unexpected(function, "\(what).\(name)", "None") }
        }
      }
    default: break
    }
  }

  private func number(_ value: PickleValue, _ what: String) throws(ImportError) -> Double {
    if case .number(let number) = value { return number }
    if case .integer(let integer) = value { return Double(integer) }
    guard let scalar = try NumpyArray.scalar(value, in: graph, what) else {
      throw graph.unexpected(value, what, "a number")
    }
    return scalar
  }
}
