import Foundation
import Torch

/// The maximum absolute difference, relative to the largest golden magnitude.
///
/// Absolute when all golden values are zero; infinite for different counts or NaN.
public func deviation(of found: [Double], from golden: [Double]) -> Double {
  guard found.count == golden.count else { return .infinity }
  let largest = golden.reduce(0) { max($0, abs($1)) }
  var difference = 0.0
  for (number, expected) in zip(found, golden) {
    let distance = abs(number - expected)
    if distance.isNaN { return .infinity }
    difference = max(difference, distance)
  }
  return largest > 0 ? difference / largest : difference
}

/// As for arrays; infinite for different shapes.
public func deviation(of found: Tensor, from golden: Tensor) throws -> Double {
  guard found.shape == golden.shape else { return .infinity }
  return deviation(of: try found.array(), from: try golden.array())
}

extension SafetensorsFile {
  /// The deviation of `found` from this file's tensor `name`; also printed when `DDN_TEST_DEVICE` is set.
  public func deviation(of found: Tensor, from name: String) throws -> Double {
    let deviation = try GoldenSupport.deviation(of: found, from: tensor(name))
    if Golden.isDeviceGiven { print("deviation", deviation, url.pathComponents.suffix(2).joined(separator: "/"), name) }
    return deviation
  }

  /// The elements of an `I32` tensor.
  public func integers(_ name: String) throws -> [Int] { try int32s(name).map { Int($0) } }
}

extension Golden {
  /// The sorted names, without extension, of a folder's `.safetensors` files.
  public static func names(in folder: String) -> [String] {
    let files = (try? FileManager.default.contentsOfDirectory(at: url(folder), includingPropertiesForKeys: nil)) ?? []
    return files.filter { $0.pathExtension == "safetensors" }.map { $0.deletingPathExtension().lastPathComponent }
      .sorted()
  }

  /// The sorted names of a folder's subfolders.
  public static func folders(in folder: String) -> [String] {
    let keys: Set<URLResourceKey> = [.isDirectoryKey]
    let all =
      (try? FileManager.default.contentsOfDirectory(at: url(folder), includingPropertiesForKeys: Array(keys))) ?? []
    return all.filter { (try? $0.resourceValues(forKeys: keys).isDirectory) == true }.map(\.lastPathComponent).sorted()
  }
}
