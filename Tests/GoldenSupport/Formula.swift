import Foundation
import Torch

/// Weights and images by the formula of `Tests/Golden/formula.py`.
public enum Formula {
  private static let outputs = Result { try Golden.safetensors("vision/outputs.safetensors") }

  private static let shapes = Result {
    try JSONDecoder().decode(
      [String: [String: [Int]]].self, from: Data(contentsOf: Golden.url("vision/shapes.json")))
  }

  /// A network's weights by name.
  ///
  /// - Parameter network: a key of `shapes.json`.
  public static func weights(_ network: String) throws -> [String: Tensor] {
    guard let shapes = try shapes.get()[network] else { preconditionFailure("no network \(network)") }
    return try shapes.reduce(into: [:]) { try $0[$1.key] = weight($1.key, $1.value) }
  }

  /// Images in [-1, 1] on the device under test.
  public static func images(_ name: String = "images", _ shape: [Int] = [2, 3, 64, 64]) throws -> Tensor {
    try Tensor(uniform(name, shape.reduce(1, *)) { Float($0) }, shape: shape).to(Golden.device)
  }

  /// The deviation of `found` from an output of the golden networks.
  public static func deviation(_ found: Tensor, _ name: String) throws -> Double {
    try outputs.get().deviation(of: found, from: name)
  }

  /// A weight by the formula.
  public static func weight(_ name: String, _ shape: [Int]) throws -> Tensor {
    let scale = (6 / Double(shape.dropFirst().reduce(1, *))).squareRoot()
    let isPositive = name.hasPrefix("lin")
    let isNearOne = name.hasSuffix("weight") || name.hasSuffix("running_var")
    let values = uniform(name, shape.reduce(1, *)) { value in
      if shape.count >= 2 { return Float(isPositive ? abs(value * scale) : value * scale) }
      return Float(isNearOne ? 1 + 0.2 * value : 0.1 * value)
    }
    return try Tensor(values, shape: shape)
  }

  /// Uniform in [-1, 1), in steps of 2^-23, and mapped.
  private static func uniform(_ name: String, _ count: Int, _ body: (Double) -> Float) -> [Float] {
    var generator = SeededGenerator(
      seed: name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 })
    return (0..<count).map { _ in body(Double(generator.next() >> 40) * 0x1p-23 - 1) }
  }
}

/// A folder that is removed with the object.
public final class ScratchFolder {
  public let url = FileManager.default.temporaryDirectory.appending(path: "scratch-\(UUID().uuidString)")

  public init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(at: url) }

  public func file(_ name: String) -> URL { url.appending(path: name) }

  /// Copies a golden file.
  public func copy(_ golden: String, as name: String) throws {
    try FileManager.default.copyItem(at: Golden.url(golden), to: file(name))
  }
}
