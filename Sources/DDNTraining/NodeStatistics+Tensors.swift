import DDN
import DDNFiles
import Torch

extension NodeStatistics {
  /// The statistics as tensors, named `<name>.<field>`.
  func tensors(named name: String) throws(TorchError) -> [String: Tensor] {
    [
      "\(name).counts": try Tensor(counts, shape: [nodes]),
      "\(name).rivalCounts": try Tensor(rivalCounts, shape: [nodes, nodes]),
      "\(name).distanceSums": try Tensor(distanceSums, shape: [nodes]),
      "\(name).lineage": try Tensor(lineage, shape: [nodes]),
      "\(name).splitImages": try Tensor(splitImages, shape: [splitImages.count]),
      "\(name).totals": try Tensor([images, batches, newestLineage], shape: [3]),
    ]
  }

  /// The inverse of `tensors(named:)`.
  ///
  /// - Parameter error: the error to throw for a problem.
  init(named name: String, in tensors: [String: Tensor], nodes: Int, error: (String) -> FileError) throws {
    func find(_ field: String, _ shape: [Int]?) throws -> Tensor {
      guard let tensor = tensors["\(name).\(field)"], shape == nil || tensor.shape == shape else {
        throw error("\(name).\(field) is missing or has the wrong size")
      }
      return tensor
    }
    let totals = try find("totals", [3]).array(Int.self)
    for field in ["counts", "rivalCounts", "distanceSums"] where try !find(field, nil).allFinite() {
      throw error("\(name).\(field) is not finite")
    }
    self.init(
      counts: try find("counts", [nodes]).array(), rivalCounts: try find("rivalCounts", [nodes, nodes]).array(),
      distanceSums: try find("distanceSums", [nodes]).array(), images: totals[0], batches: totals[1],
      lineage: try find("lineage", [nodes]).array(), newestLineage: totals[2],
      splitImages: try find("splitImages", nil).array())
  }
}
