import Foundation
import Torch

/// The largest difference between two lists of numbers, as a fraction of the golden ones' largest magnitude.
///
/// Plain where all golden numbers are zero; infinite where the counts differ or a number is NaN.
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

/// The same for two tensors; infinite also where the shapes differ.
public func deviation(of found: Tensor, from golden: Tensor) throws -> Double {
  guard found.shape == golden.shape else { return .infinity }
  return deviation(of: try found.array(), from: try golden.array())
}

extension SafetensorsFile {
  /// How far `found` is from this file's tensor `name`.
  ///
  /// Printed on a device that was asked for, where it is for the reader to judge.
  public func deviation(of found: Tensor, from name: String) throws -> Double {
    let deviation = try GoldenSupport.deviation(of: found, from: tensor(name))
    if Golden.isDeviceGiven { print("deviation", deviation, url.pathComponents.suffix(2).joined(separator: "/"), name) }
    return deviation
  }

  /// The elements of an `I32` tensor.
  public func integers(_ name: String) throws -> [Int] { try int32s(name).map { Int($0) } }
}

extension Golden {
  /// The stems of the `.safetensors` files in a folder, in order.
  public static func names(in folder: String) -> [String] {
    let files = (try? FileManager.default.contentsOfDirectory(at: url(folder), includingPropertiesForKeys: nil)) ?? []
    return files.filter { $0.pathExtension == "safetensors" }.map { $0.deletingPathExtension().lastPathComponent }
      .sorted()
  }

  /// The folders in a folder, in order.
  public static func folders(in folder: String) -> [String] {
    let keys: Set<URLResourceKey> = [.isDirectoryKey]
    let all =
      (try? FileManager.default.contentsOfDirectory(at: url(folder), includingPropertiesForKeys: Array(keys))) ?? []
    return all.filter { (try? $0.resourceValues(forKeys: keys).isDirectory) == true }.map(\.lastPathComponent).sorted()
  }
}
