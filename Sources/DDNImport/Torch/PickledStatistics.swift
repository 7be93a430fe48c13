import DDNFiles
import Foundation

/// Mean and covariance of Inception's features in EDM2's pickled statistics: a dictionary with `fid`, itself a dictionary of
/// the arrays `mu` and `sigma`, and other detectors' beside it. Nothing is executed.
///
/// - Source: NVIDIA's EDM2, the data layout of its reference statistics.
public struct PickledStatistics: Sendable {
  public let mean: [Double]
  /// In row-major order.
  public let covariance: [Double]
  /// Of the covariance.
  public let shape: [Int]
  /// `num_images`; nil where it is missing.
  public let images: Int?

  /// - Parameters:
  ///   - data: the whole file.
  ///   - path: for error messages.
  /// - Throws: `FileError` (`invalid`) when it is damaged or something else.
  public init(_ data: Data, path: String) throws(FileError) {
    do throws(ImportError) {
      let graph = try Content.graph(data, archive: nil).0
      let members = try graph.members(graph.root, "its content")
      guard let value = members["fid"] else { throw ImportError("has no statistics named fid") }
      let arrays = try graph.members(value, "fid")
      guard let mean = arrays["mu"], let covariance = arrays["sigma"] else {
        throw ImportError("has no mu or no sigma in fid")
      }
      let (first, second) = (
        try NumpyArray(mean, in: graph, "mu"), try NumpyArray(covariance, in: graph, "sigma")
      )
      shape = second.shape
      self.mean = try first.doubles(first.shape, "mu")
      self.covariance = try second.doubles(shape, "sigma")
      images = try members["num_images"].map { (value) throws(ImportError) in try graph.integer(value, "num_images") }
    } catch {
      throw FileError(
        .invalid, path: path, problem: error.problem, remedy: "give statistics such as those of ddn fid ref")
    }
  }
}
