import DDNFiles
import Foundation
import GoldenSupport
import Testing
import Torch

@testable import DDNVision

/// Weights and images by the formula of `Tests/Golden/vision/generate.py`.
enum Formula {
  static let outputs = Result { try Golden.safetensors("vision/outputs.safetensors") }

  private static let shapes = Result {
    try JSONDecoder().decode(
      [String: [String: [Int]]].self, from: Data(contentsOf: Golden.url("vision/shapes.json")))
  }

  /// Uniform in [-1, 1), in steps of 2^-23.
  private static func uniform(_ name: String, _ count: Int, _ body: (Double) -> Float = { Float($0) }) -> [Float] {
    var generator = SeededGenerator(
      seed: name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 })
    return (0..<count).map { _ in body(Double(generator.next() >> 40) * 0x1p-23 - 1) }
  }

  private static func weight(_ name: String, _ shape: [Int]) throws -> Tensor {
    let scale = (6 / Double(shape.dropFirst().reduce(1, *))).squareRoot()
    let isPositive = name.hasPrefix("lin")
    let isNearOne = name.hasSuffix("weight") || name.hasSuffix("running_var")
    let values = uniform(name, shape.reduce(1, *)) { value in
      if shape.count >= 2 { return Float(isPositive ? abs(value * scale) : value * scale) }
      return Float(isNearOne ? 1 + 0.2 * value : 0.1 * value)
    }
    return try Tensor(values, shape: shape)
  }

  /// A network's weights.
  ///
  /// - Parameter leavingOut: names that are left out.
  static func state(_ network: String, leavingOut: (String) -> Bool = { _ in false }) throws -> [String: Tensor] {
    let shapes = try #require(shapes.get()[network])
    return try shapes.filter { !leavingOut($0.key) }.reduce(into: [:]) { try $0[$1.key] = weight($1.key, $1.value) }
  }

  static func weights(_ network: String) throws -> StateDictionary {
    StateDictionary(try state(network), url: URL(filePath: "/formula/\(network).pt"))
  }

  static func images(_ name: String = "images", _ shape: [Int] = [2, 3, 64, 64]) throws -> Tensor {
    try Tensor(uniform(name, shape.reduce(1, *)), shape: shape).to(Golden.device)
  }

  static func deviation(_ found: Tensor, _ name: String) throws -> Double {
    try outputs.get().deviation(of: found, from: name)
  }
}

/// A folder that is removed with the object.
final class Scratch {
  let url = FileManager.default.temporaryDirectory.appending(path: "vision-\(UUID().uuidString)")

  init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(at: url) }

  func file(_ name: String) -> URL { url.appending(path: name) }

  func copy(_ golden: String, as name: String) throws {
    try FileManager.default.copyItem(at: Golden.url("vision/\(golden)"), to: file(name))
  }
}
