import DDN
import DDNFiles

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
  /// What the first level reads as the previous image; nil for zeros.
  private(set) var initialImage: InitialImage?

  private static let classes: Set = [
    "DDNPrecond", "PHDDNHandsDense", "DiscreteDistributionBlock", "UNetBlockWoEmb", "GroupNorm", "Conv2d",
  ]
  /// A real network has five levels of modules.
  private static let deepest = 12

  /// Modules and their dictionaries, by their places in the graph. A real network holds each once; one that held them
  /// again and again would cost far more than its bytes.
  private var visited: Set<Int> = []

  init(_ tensors: TensorReader) { self.tensors = tensors }

  /// Reads a whole network.
  mutating func read(_ network: PickleValue) throws(ImportProblem) {
    try collect(network, path: "", depth: 0)
  }

  private mutating func collect(_ value: PickleValue, path: String, depth: Int) throws(ImportProblem) {
    let what = path.isEmpty ? "the network" : String(path.dropLast())
    guard depth <= Self.deepest else { throw ImportProblem("has modules in more than \(Self.deepest) levels") }
    let (name, attributes) = try module(value, what, isNetwork: depth == 0)
    guard depth > 0 || name == "DDNPrecond" else {
      throw ImportProblem("holds a \(name), not the original's network DDNPrecond")
    }
    try check(name, attributes, what)
    for (kind, isParameter) in [("_parameters", true), ("_buffers", false)] {
      for (key, value) in try parts(kind, attributes, what) {
        let name = path + key
        if case .none = value { continue }
        guard state.updateValue(try tensors.tensor(value, name), forKey: name) == nil else {
          throw ImportProblem("has the tensor \(quoted(name)) twice")
        }
        if isParameter { parameterNames.append(name) }
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

  /// The named parts of one kind that a module has, in their order.
  private mutating func parts(
    _ kind: String, _ attributes: [String: PickleValue], _ what: String
  ) throws(ImportProblem) -> [(name: String, value: PickleValue)] {
    let value = try attribute(kind, attributes, what)
    try visit(value, "\(what)'s \(kind)")
    return try graph.pairs(value, "\(what)'s \(kind)").map { (key, value) throws(ImportProblem) in
      let name = try graph.text(key, "a name in \(what)")
      let isPlain = name.utf8.count <= 100 && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
      guard isPlain else { throw ImportProblem("\(what) has a part named \(quoted(name))") }
      return (name, value)
    }
  }

  /// Refuses what was visited before.
  private mutating func visit(_ value: PickleValue, _ what: String) throws(ImportProblem) {
    guard case .node(let place) = value, !visited.insert(place).inserted else { return }
    throw ImportProblem("\(what) is what another part of the network is, too, and networks here share nothing")
  }

  /// A module's class and attributes.
  private mutating func module(
    _ value: PickleValue, _ what: String, isNetwork: Bool
  ) throws(ImportProblem) -> (name: String, attributes: [String: PickleValue]) {
    try visit(value, what)
    guard let object = graph.object(value) else { throw graph.unexpected(value, what, "a module") }
    guard object.global == .persistentObject else {
      guard object.global.use == .instance else { throw graph.unexpected(value, what, "a module") }
      return (object.global.rawValue, try self.attributes(object.state, what))
    }
    let arguments = try graph.tuple(object.arguments, what)
    guard arguments.count == 1 else { throw ImportProblem("\(what) is an object of \(arguments.count) arguments") }
    try visit(arguments[0], what)
    let fields = try graph.members(arguments[0], what)
    guard case .text("class")? = fields["type"], case .integer(6)? = fields["version"] else {
      throw ImportProblem("\(what) is no object of version 6 of the original's persistence")
    }
    let name = try graph.text(attribute("class_name", fields, what), "the class of \(what)")
    if isNetwork, name.hasSuffix("Precond"), name != "DDNPrecond" {
      throw ImportProblem(
        "holds a diffusion network (\(quoted(name))), which has no levels of nodes",
        remedy: "use a snapshot that was trained with --arch=ddn")
    }
    guard Self.classes.contains(name) else {
      throw ImportProblem("\(what) is of the class \(quoted(name)), which no network here has")
    }
    return (name, try self.attributes(attribute("state", fields, what), what))
  }

  private mutating func attributes(_ value: PickleValue, _ what: String) throws(ImportProblem) -> [String: PickleValue]
  {
    try visit(value, "the state of \(what)")
    return try graph.members(value, "the state of \(what)")
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
      let rounds = try number(attribute("refiner_repeatn", attributes, what), "\(what).refiner_repeatn")
      guard rounds == 0 else {
        throw ImportProblem(
          "has a refiner of \(rounds) rounds behind the pyramid (--refinern), which networks here lack",
          remedy: "use a snapshot that was trained with --refinern=0")
      }
      // The attribute came with the commit that made the initial image zeros.
      if attributes["scalis"] == nil { initialImage = .channelRamp }
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
