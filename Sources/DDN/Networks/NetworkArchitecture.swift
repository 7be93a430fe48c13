import Synchronization
import Torch

/// The configuration of one kind of network: what a model file carries of it, and how the network is built.
///
/// A new network is one file with a `DiscreteDistributionNetwork` and its architecture, and one line that registers it:
/// `NetworkConfiguration.register(MyNetwork.Configuration.self)`.
public protocol NetworkArchitecture: Codable, Sendable, Equatable {
  /// The key in model files, such as "pyramid"; unique among architectures.
  static var kind: String { get }
  /// For messages, such as "recurrent network".
  static var noun: String { get }

  /// - Throws: `ConfigurationError` naming the first impossible value.
  func validate() throws(ConfigurationError)

  /// Number of nodes and resolution of every level. This and all below hold for valid configurations.
  var codeSpace: CodeSpace { get }
  /// Channels, height and width of the final image.
  var imageShape: [Int] { get }
  /// What the network can be conditioned on.
  var conditions: [ConditionKind] { get }
  /// A lower bound on the parameter count, found without allocating them.
  var parameterLowerBound: Int { get }
  /// Multiply-adds of one image's forward pass without the nodes; nil when unknown.
  var multiplyAdds: Int? { get }
  /// What training multiplies the mean loss by.
  var lossScale: Double { get }
  /// The oldest version of the model format whose readers do not overlook anything of this configuration.
  var formatVersion: Int { get }
  /// A short description, such as "64 nodes x 10 levels, width 8".
  var summary: String { get }

  /// The first difference because of which weights of `other` do not fit, as in "it has width 8, not 16"; nil when they
  /// fit.
  func weightDifference(from other: Self) -> String?

  /// A network with fresh weights drawn from the generator.
  func makeNetwork(generator: Generator) throws(TorchError) -> any DiscreteDistributionNetwork
}

extension NetworkArchitecture {
  public var multiplyAdds: Int? { nil }
  public var lossScale: Double { 1 }
  public var formatVersion: Int { 1 }

  /// Stops the program when the configuration is invalid.
  func requireValid() {
    do throws(ConfigurationError) { try validate() } catch { preconditionFailure(error.description) }
  }

  /// "it has width 8, not 16" when `theirs` is 8 and `mine` is 16; nil when they are equal.
  public func difference<Value: Equatable>(_ name: String, _ mine: Value, _ theirs: Value) -> String? {
    mine == theirs ? nil : "it has \(name) \(theirs), not \(mine)"
  }
}

/// A value of a configuration that is impossible; one line.
public struct ConfigurationError: Error, Equatable, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}

/// The configuration of a network of any registered kind.
public struct NetworkConfiguration: Sendable {
  public let architecture: any NetworkArchitecture

  public init(_ architecture: any NetworkArchitecture) { self.architecture = architecture }

  public static func recurrent(_ configuration: RecurrentNetwork.Configuration) -> NetworkConfiguration {
    NetworkConfiguration(configuration)
  }

  public static func pyramid(_ configuration: PyramidNetwork.Configuration) -> NetworkConfiguration {
    NetworkConfiguration(configuration)
  }

  private static let kinds = Mutex<[any NetworkArchitecture.Type]>([
    PyramidNetwork.Configuration.self,
    RecurrentNetwork.Configuration.self,
    DenseNetwork.Configuration.self,
  ])

  /// Makes a kind of network known to model files and run folders.
  public static func register(_ architecture: any NetworkArchitecture.Type) {
    kinds.withLock { kinds in
      kinds.removeAll { $0.kind == architecture.kind }
      kinds.append(architecture)
    }
  }

  /// The architecture for images of a shape: the recurrent network for 32x32 gray, the pyramid for all others.
  ///
  /// - Parameter shape: `[C, H, W]`.
  public static func suited(toImagesOf shape: [Int]) -> any NetworkArchitecture.Type {
    shape == [1, RecurrentNetwork.imageSide, RecurrentNetwork.imageSide]
      ? RecurrentNetwork.Configuration.self : PyramidNetwork.Configuration.self
  }

  /// - Throws: `ConfigurationError` naming the first impossible value.
  public func validate() throws(ConfigurationError) { try architecture.validate() }

  /// Refuses a file whose weights cannot hold this network's parameters, before memory is allocated for them.
  ///
  /// - Parameter count: of all numbers in the file.
  public func check(weights count: Int) throws(ConfigurationError) {
    guard architecture.parameterLowerBound > count else { return }
    throw ConfigurationError("holds \(count) weights, too few for the network that it describes")
  }

  /// The first difference because of which weights of `other` do not fit; nil when they fit.
  public func weightDifference(from other: NetworkConfiguration) -> String? {
    func difference<Mine: NetworkArchitecture>(_ mine: Mine) -> String? {
      guard let theirs = other.architecture as? Mine else {
        return "it is a \(type(of: other.architecture).noun), not a \(Mine.noun)"
      }
      return mine.weightDifference(from: theirs)
    }
    return difference(architecture)
  }

  public var codeSpace: CodeSpace { architecture.codeSpace }
  public var imageShape: [Int] { architecture.imageShape }
  public var summary: String { architecture.summary }

  /// A network with fresh weights drawn from the generator.
  public func makeNetwork(generator: Generator) throws(TorchError) -> any DiscreteDistributionNetwork {
    try architecture.makeNetwork(generator: generator)
  }
}

extension NetworkConfiguration: Equatable {
  public static func == (left: NetworkConfiguration, right: NetworkConfiguration) -> Bool {
    func equals<Left: NetworkArchitecture>(_ left: Left) -> Bool { left == right.architecture as? Left }
    return equals(left.architecture)
  }
}

extension NetworkConfiguration: Codable {
  /// The name of a kind.
  private struct Kind: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Kind.self)
    let known = Self.kinds.withLock { $0 }
    guard let kind = known.first(where: { container.contains(Kind(stringValue: $0.kind)) }) else {
      let names = container.allKeys.map(\.stringValue).joined(separator: ", ")
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "no known kind of network among '\(names)'"))
    }
    func decode<Architecture: NetworkArchitecture>(_ type: Architecture.Type) throws -> any NetworkArchitecture {
      try container.decode(type, forKey: Kind(stringValue: type.kind))
    }
    architecture = try decode(kind)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Kind.self)
    try container.encode(architecture, forKey: Kind(stringValue: type(of: architecture).kind))
  }
}
