import DDN

/// Collects the weights and node statistics of a network that was pickled with all its objects.
///
/// Only `_parameters`, `_buffers` and `_modules` are followed: what a module was made with (`_init_args`) holds a second,
/// untrained set of weights.
struct ModuleReader {
  private var tensors: TensorReader
  private var graph: PickleGraph { tensors.graph }

  /// Parameters and buffers by the names of the original's state dictionary.
  private(set) var state: [String: OriginalTensor] = [:]
  /// The names of parameters, in the order that the original's optimizer numbers them.
  private(set) var parameterNames: [String] = []
  /// By the name of the layer.
  private(set) var statistics: [String: NodeStatistics] = [:]
  /// What the network is told, in the words of the original's option; nil for nothing.
  private(set) var condition: String?

  private static let classes: Set = [
    "DDNPrecond", "PHDDNHandsDense", "DiscreteDistributionBlock", "UNetBlockWoEmb", "GroupNorm", "Conv2d",
  ]
  /// A real network has five levels of modules.
  private static let deepest = 12

  init(_ tensors: TensorReader) { self.tensors = tensors }

  /// Reads a whole network.
  mutating func read(_ network: PickleValue) throws(ImportProblem) {
    let (name, _) = try module(network, "the network")
    guard name == "DDNPrecond" else { throw ImportProblem("holds a \(name), not the original's network DDNPrecond") }
    try collect(network, path: "", depth: 0)
  }

  private mutating func collect(_ value: PickleValue, path: String, depth: Int) throws(ImportProblem) {
    let what = path.isEmpty ? "the network" : String(path.dropLast())
    guard depth <= Self.deepest else { throw ImportProblem("has modules in more than \(Self.deepest) levels") }
    let (name, attributes) = try module(value, what)
    try check(name, attributes, what)
    for (kind, isParameter) in [("_parameters", true), ("_buffers", false)] {
      for (key, value) in try graph.pairs(attribute(kind, attributes, what), "\(what)'s \(kind)") {
        let name = path + (try graph.text(key, "a name in \(what)"))
        if case .none = value { continue }
        guard state.updateValue(try tensors.tensor(value, name), forKey: name) == nil else {
          throw ImportProblem("has the tensor \(ImportProblem.quoted(name)) twice")
        }
        if isParameter { parameterNames.append(name) }
      }
    }
    if name == KnownGlobal.layer.rawValue {
      statistics[what] = try NodeStatistics(original: attribute("sdd", attributes, what), in: graph, "\(what).sdd")
    }
    for (key, child) in try graph.pairs(attribute("_modules", attributes, what), "\(what)'s _modules") {
      if case .none = child { continue }
      try collect(child, path: path + graph.text(key, "a name in \(what)") + ".", depth: depth + 1)
    }
  }

  /// A module's class and attributes.
  private func module(
    _ value: PickleValue, _ what: String
  ) throws(ImportProblem) -> (name: String, attributes: [String: PickleValue]) {
    guard case .object(let object)? = graph.node(value) else { throw graph.unexpected(value, what, "a module") }
    guard object.global == .persistentObject else {
      guard object.global.use == .instance else { throw graph.unexpected(value, what, "a module") }
      return (object.global.rawValue, try graph.members(object.state, "the state of \(what)"))
    }
    let arguments = try graph.tuple(object.arguments, what)
    guard arguments.count == 1 else { throw ImportProblem("\(what) is an object of \(arguments.count) arguments") }
    let fields = try graph.members(arguments[0], what)
    guard case .text("class")? = fields["type"], case .integer(6)? = fields["version"] else {
      throw ImportProblem("\(what) is no object of version 6 of the original's persistence")
    }
    let name = try graph.text(attribute("class_name", fields, what), "the class of \(what)")
    guard Self.classes.contains(name) else {
      throw ImportProblem("\(what) is of the class \(ImportProblem.quoted(name)), which no network here has")
    }
    return (name, try graph.members(attribute("state", fields, what), "the state of \(what)"))
  }

  private func attribute(
    _ name: String, _ attributes: [String: PickleValue], _ what: String
  ) throws(ImportProblem) -> PickleValue {
    guard let value = attributes[name] else { throw ImportProblem("\(what) has no \(name)") }
    return value
  }

  /// Refuses what would be computed differently here; the tensors' shapes say the rest.
  private mutating func check(
    _ name: String, _ attributes: [String: PickleValue], _ what: String
  ) throws(ImportProblem) {
    func expect(_ attribute: String, _ expected: Double) throws(ImportProblem) {
      let found = try number(self.attribute(attribute, attributes, what), "\(what).\(attribute)")
      guard abs(found - expected) <= 1e-6 * abs(expected) else {
        throw ImportProblem("\(what).\(attribute) is \(found), and networks here have \(expected)")
      }
    }
    switch name {
    case "PHDDNHandsDense":
      try expect("refiner_repeatn", 0)
      if let told = attributes["condition_type"] {
        if case .none = told {} else { condition = try graph.text(told, "\(what).condition_type") }
      }
    case "UNetBlockWoEmb":
      try expect("skip_scale", 0.5.squareRoot())
      try expect("num_heads", 0)
    case "GroupNorm": try expect("eps", 1e-6)
    case KnownGlobal.layer.rawValue:
      guard try graph.bool(attribute("leak_choice", attributes, what), "\(what).leak_choice") else {
        throw ImportProblem("\(what) leaks no choice, and layers of pyramids here do")
      }
      for name in ["loss_func", "distance_func"] {
        if let function = attributes[name] {
          guard case .none = function else { throw graph.unexpected(function, "\(what).\(name)", "None") }
        }
      }
    default: break
    }
  }

  private func number(_ value: PickleValue, _ what: String) throws(ImportProblem) -> Double {
    if case .number(let number) = value { return number }
    if case .integer(let integer) = value { return Double(integer) }
    guard let scalar = try NumpyArray.scalar(value, in: graph, what) else {
      throw graph.unexpected(value, what, "a number")
    }
    return scalar
  }
}
