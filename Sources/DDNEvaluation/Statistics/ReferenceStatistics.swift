import Archives
import DDNData
import DDNFiles
import DDNImport
import DDNVision
import Foundation
import Torch

/// Mean and covariance of a data set's features in a file, for Frechet distances to that data set.
public struct ReferenceStatistics {
  public let statistics: FrechetDistance.Statistics
  /// Of the detector, as `DetectorIdentity.description`; nil in files of other programs.
  public let detector: String?
  /// Of the file, for messages.
  public let path: String

  /// The most features: a covariance of 512 MiB.
  private static let mostFeatures = 8192

  /// - Parameters:
  ///   - statistics: of the features.
  ///   - detector: that computed them.
  ///   - path: of the file or the data set.
  public init(_ statistics: FrechetDistance.Statistics, detector: DetectorIdentity, path: String) {
    self.statistics = statistics
    self.detector = detector.description
    self.path = path
  }

  /// Whether a file holds statistics, not images.
  ///
  /// - Throws: `FileError` when it cannot be read.
  public static func isStatistics(_ url: URL) throws(FileError) -> Bool {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue { return false }
    let data = try InputFile.map(url)
    if data.first == 0x80 { return true }
    guard data.starts(with: [0x50, 0x4B]) else { return url.pathExtension == "npz" || url.pathExtension == "pkl" }
    let archive = try ZipArchive(data, url: url)
    return archive.contains("mu.npy") || archive.contains("sigma.npy")
  }

  /// Reads NumPy's npz with `mu` and `sigma`, as EDM, pytorch-fid and ADM write them, or EDM2's pickle, a dictionary with
  /// `fid`. Pickles are interpreted, never executed.
  ///
  /// - Parameter url: of the file.
  /// - Throws: `FileError`: `missing`, or `invalid` when it is damaged, is something else, or is not of a covariance;
  ///   `TorchError`.
  public init(contentsOf url: URL) throws {
    let data = try InputFile.map(url)
    path = url.path
    if data.first == 0x80 {
      let found = try PickledStatistics(data, path: url.path)
      statistics = try Self.checked(found.mean, found.covariance, shape: found.shape, count: found.images, url.path)
      detector = nil
      return
    }
    guard data.starts(with: [0x50, 0x4B]) else {
      throw FileError(
        .invalid, path: url.path, problem: "is neither an npz archive nor a pickle, or is truncated",
        remedy: "give statistics of ddn fid ref, or images")
    }
    let archive = try ZipArchive(data, url: url)
    func entry(_ name: String, _ kinds: [NumPyFile.Kind]) throws(FileError) -> NumPyFile {
      guard archive.contains("\(name).npy") else {
        throw FileError(
          .invalid, path: url.path, problem: "has no array named \(name)",
          remedy: "give an npz with mu and sigma, such as one of ddn fid ref")
      }
      return try NumPyFile(archive.read("\(name).npy"), of: kinds, path: "\(url.path)/\(name).npy")
    }
    let (mean, covariance) = (try entry("mu", [.float]), try entry("sigma", [.float]))
    let count = archive.contains("images.npy") ? try entry("images", [.signed, .unsigned]).integers.first : nil
    detector = archive.contains("detector.npy") ? try entry("detector", [.text]).text : nil
    guard mean.shape.count == 1 else {
      throw FileError(
        .invalid, path: "\(url.path)/mu.npy", problem: "has the shape \(mean.shape), not one size",
        remedy: "give an npz with mu and sigma, such as one of ddn fid ref")
    }
    statistics = try Self.checked(
      mean.doubles, covariance.doubles, shape: covariance.shape, count: count, url.path)
  }

  /// Statistics that can be compared.
  private static func checked(
    _ mean: [Double], _ covariance: [Double], shape: [Int], count: Int?, _ path: String
  ) throws -> FrechetDistance.Statistics {
    func invalid(_ problem: String) -> FileError {
      FileError(.invalid, path: path, problem: problem, remedy: "compute the statistics again with ddn fid ref")
    }
    let size = mean.count
    guard size <= mostFeatures else { throw invalid("has \(size) features, more than \(mostFeatures)") }
    guard shape == [size, size], covariance.count == size * size else {
      throw invalid("has \(size) means and a covariance of \(shape)")
    }
    guard mean.allSatisfy(\.isFinite), covariance.allSatisfy(\.isFinite) else {
      throw invalid("has values that are not finite")
    }
    let largest = (0..<size).reduce(0) { max($0, abs(covariance[$1 * size + $1])) }
    for row in 0..<size {
      guard covariance[row * size + row] >= -1e-9 * largest else { throw invalid("has a negative variance") }
      for column in 0..<row {
        guard abs(covariance[row * size + column] - covariance[column * size + row]) <= 1e-5 * max(largest, 1e-300)
        else {
          throw invalid("has a covariance that is not symmetric")
        }
      }
    }
    return .init(
      mean: try Tensor(mean, shape: [size]), covariance: try Tensor(covariance, shape: shape),
      count: count.flatMap { $0 >= 2 ? $0 : nil })
  }

  /// Checks that a detector computed the statistics.
  ///
  /// Files of other programs do not name their detector, which is then taken for Inception v3.
  ///
  /// - Parameters:
  ///   - identity: of the detector.
  ///   - featureCount: its number of features.
  /// - Throws: `FileError` (`invalid`) for statistics of another detector.
  public func check(_ identity: DetectorIdentity, featureCount: Int) throws(FileError) {
    func invalid(_ problem: String) -> FileError {
      FileError(
        .invalid, path: path, problem: problem,
        remedy: "give the detector of the statistics with --detector, or compute them again with ddn fid ref")
    }
    if let detector, detector != identity.description {
      throw invalid("holds statistics of another detector (\(quoted(detector))), not of \(identity)")
    }
    guard statistics.mean.count == featureCount else {
      throw invalid("holds statistics of \(statistics.mean.count) features, and the detector has \(featureCount)")
    }
    guard detector != nil || identity.isInception else {
      throw invalid("does not name its detector, which is then Inception v3, not \(identity.name)")
    }
  }

  /// Writes an npz with `mu` and `sigma` in float64, `images`, and `detector`.
  ///
  /// - Parameter url: of the file.
  /// - Throws: `FileError` (`failed`) when it cannot be written; `TorchError`.
  public func write(to url: URL) throws {
    let size = statistics.mean.count
    let entries = [
      ("mu", NumPyFile.data(try statistics.mean.array(), shape: [size])),
      ("sigma", NumPyFile.data(try statistics.covariance.array(), shape: [size, size])),
      ("images", NumPyFile.data(statistics.count ?? 0)), ("detector", NumPyFile.data(detector ?? "")),
    ]
    try AtomicFile.create(url) { file in
      var writer = ZipWriter(file)
      for (name, data) in entries { try writer.add("\(name).npy", data) }
      try writer.finish()
    }
  }
}
