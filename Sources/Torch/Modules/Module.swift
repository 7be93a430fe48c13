/// A tensor that a module owns: learned, unless it is frozen.
public final class Parameter {
  /// The values. Training changes its elements; the tensor itself stays, so that optimizers can hold on to it.
  public private(set) var tensor: Tensor
  /// False for tables that are part of the weights and never learned.
  public let isTrainable: Bool

  public init(_ tensor: Tensor, isTrainable: Bool = true) throws(TorchError) {
    self.tensor = tensor
    self.isTrainable = isTrainable
    if isTrainable { try tensor.setRequiresGradient(true) }
  }

  /// A copy on another device takes the tensor's place; optimizers made before no longer know it.
  func move(to device: Device) throws(TorchError) {
    guard device != tensor.device else { return }
    let moved = try tensor.detached().to(device)
    if isTrainable { try moved.setRequiresGradient(true) }
    tensor = moved
  }
}

/// A part of a network: it owns parameters and other modules as stored properties, which give them their names.
///
/// `encoder.units.0.norm.weight` is the property `weight` of `norm` of the first element of `units` of `encoder`.
open class Module {
  public enum Mode: Sendable {
    /// Layers record what Split-and-Prune needs.
    case training
    /// Nothing but the result is computed.
    case evaluation
  }

  /// What this module is being run for; set on the outermost module with `setMode`.
  public private(set) var mode = Mode.evaluation

  public init() {}

  /// Sets the mode of this module and of all that it owns.
  public func setMode(_ mode: Mode) {
    visit { _, element in (element as? Module)?.mode = mode }
    self.mode = mode
  }

  /// Every parameter with its name, in the order of declaration. A parameter that two modules share comes once.
  public func namedParameters() -> [(name: String, parameter: Parameter)] {
    var found: [(name: String, parameter: Parameter)] = []
    var seen = Set<ObjectIdentifier>()
    visit { name, element in
      if let parameter = element as? Parameter, seen.insert(ObjectIdentifier(parameter)).inserted {
        found.append((name, parameter))
      }
    }
    return found
  }

  /// Every module within this one with its name, in the order of declaration.
  public func namedModules() -> [(name: String, module: Module)] {
    var found: [(name: String, module: Module)] = []
    visit { name, element in
      if let module = element as? Module { found.append((name, module)) }
    }
    return found
  }

  /// The number of numbers in the parameters, frozen ones included.
  public var parameterCount: Int { namedParameters().reduce(0) { $0 + $1.parameter.tensor.count } }

  /// Moves all parameters to a device; do it before an optimizer is made.
  public func move(to device: Device) throws(TorchError) {
    for (_, parameter) in namedParameters() { try parameter.move(to: device) }
  }

  private func visit(_ body: (String, AnyObject) -> Void) {
    var mirrors: [Mirror] = []
    var mirror: Mirror? = Mirror(reflecting: self)
    while let current = mirror {
      mirrors.append(current)
      mirror = current.superclassMirror
    }
    for mirror in mirrors.reversed() {
      for child in mirror.children { Module.visit(child.value, child.label ?? "", body) }
    }
  }

  private static func visit(_ value: Any, _ name: String, _ body: (String, AnyObject) -> Void) {
    switch value {
    case let parameter as Parameter: body(name, parameter)
    case let module as Module:
      body(name, module)
      module.visit { body("\(name).\($0)", $1) }
    case let modules as [Module]:
      for (index, module) in modules.enumerated() { visit(module, "\(name).\(index)", body) }
    case let optional as Module?:
      if let module = optional { visit(module, name, body) }
    default: break
    }
  }
}
