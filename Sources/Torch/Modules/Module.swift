/// A tensor that a module owns: trainable, unless frozen.
public final class Parameter {
  /// The values. Training changes its elements in place, so optimizers can keep a reference.
  public private(set) var tensor: Tensor
  /// False for tables that are part of the weights but never trained.
  public let isTrainable: Bool

  public init(_ tensor: Tensor, isTrainable: Bool = true) throws(TorchError) {
    self.tensor = tensor
    self.isTrainable = isTrainable
    if isTrainable { try tensor.setRequiresGradient(true) }
  }

  /// Replaces the tensor by a copy on another device, which existing optimizers do not have.
  func move(to device: Device) throws(TorchError) {
    guard device != tensor.device else { return }
    let moved = try tensor.detached().to(device)
    if isTrainable { try moved.setRequiresGradient(true) }
    tensor = moved
  }
}

/// A part of a network. Its stored properties are its parameters and submodules, and give them their names.
///
/// `encoder.units.0.norm.weight` is the property `weight` of `norm` of the first element of `units` of `encoder`.
open class Module {
  public enum Mode: Sendable {
    /// Modules may also record statistics of the batch.
    case training
    /// Only the output is computed.
    case evaluation
  }

  /// Set with `setMode` on the outermost module.
  public private(set) var mode = Mode.evaluation

  public init() {}

  /// Sets the mode of this module and all submodules.
  public func setMode(_ mode: Mode) {
    visit { _, element in (element as? Module)?.mode = mode }
    self.mode = mode
  }

  /// Every parameter with its name, in order of declaration. A parameter that two modules share is listed once.
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

  /// Every submodule with its name, in order of declaration.
  public func namedModules() -> [(name: String, module: Module)] {
    var found: [(name: String, module: Module)] = []
    visit { name, element in
      if let module = element as? Module { found.append((name, module)) }
    }
    return found
  }

  /// The number of elements in all parameters, including frozen ones.
  public var parameterCount: Int { namedParameters().reduce(0) { $0 + $1.parameter.tensor.count } }

  /// Moves all parameters to a device; call it before making an optimizer.
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
