import DDN
import Torch

/// Several guides at once: the weighted sum of each guide's ranks, 0 for its worst candidate to K - 1 for its best.
///
/// Ranks make scores of different units comparable.
/// Source: paper, section 4 and Figure 10.
public struct RankedGuide: Guide {
  private let guides: [(guide: any Guide, weight: Double)]

  /// - Parameter guides: at least one, with weights above 0.
  public init(_ guides: [(guide: any Guide, weight: Double)]) {
    precondition(!guides.isEmpty, "no guides to combine")
    self.guides = guides
  }

  public func scores(of candidates: Candidates) throws -> Tensor {
    var sum: Tensor?
    for (guide, weight) in guides {
      let weighted = try guide.scores(of: candidates).ranks().to(.float32) * weight
      sum = try sum.map { try $0 + weighted } ?? weighted
    }
    return sum!
  }
}

extension Tensor {
  private static let sortOperator = Operator("aten::sort", "stable")

  /// `[B, K]` int64, each element's place in its sorted row; equal elements keep their order.
  fileprivate func ranks() throws(TorchError) -> Tensor { try sortingIndices().sortingIndices() }

  private func sortingIndices() throws(TorchError) -> Tensor {
    guard case .tensor(let indices) = try Tensor.sortOperator(.tensor(self), .bool(true), .int(1), .bool(false))[1]
    else { preconditionFailure("sort returns values and indices") }
    return indices
  }
}
