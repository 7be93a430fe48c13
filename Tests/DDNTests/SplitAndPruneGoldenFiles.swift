import GoldenSupport

/// The content of `F/k*_b*.json`.
struct GoldenRun: Decodable {
  let k, b, steps, splitCount, images, batches, newestLineage: Int
  let rivalSteps, splitImages: [Int]
  let splits: [GoldenSplit]

  enum CodingKeys: String, CodingKey {
    case k, b, steps, splits
    case splitCount = "n_splits"
    case images = "final_iter"
    case batches = "batchn"
    case newestLineage = "idx_max"
    case rivalSteps = "near2_steps"
    case splitImages = "split_iters"
  }
}

/// One split event of a run.
struct GoldenSplit: Decodable {
  let step, images, donor, pruned: Int
  let donorShare, prunedShare: Double

  enum CodingKeys: String, CodingKey {
    case step
    case images = "iter"
    case donor = "i_split"
    case pruned = "i_disapear"
    case donorShare = "ps"
    case prunedShare = "pd"
  }
}

/// One entry of `F/split_units.json`.
struct GoldenUnit: Decodable {
  let donor, pruned, images: Int

  enum CodingKeys: String, CodingKey {
    case donor = "i_split"
    case pruned = "i_disapear"
    case images = "iter"
  }
}

/// One entry of `F/decisions.json`: a decision, or the note on ties.
struct GoldenDecision: Decodable {
  struct Result: Decodable {
    let donor, pruned: Int
    let donorShare, prunedShare: Double?

    enum CodingKeys: String, CodingKey {
      case donor = "i_split"
      case pruned = "i_disapear"
      case donorShare = "ps"
      case prunedShare = "pd"
    }
  }

  let count: [Double]
  let distanceSums: [Double]?
  let images, warmupImages: Int?
  let result: Result?
  let note: String?
  let matrix: [[Float]]?
  let nearest: [Int]?
  let rivalCounts: [[Double]]?

  enum CodingKeys: String, CodingKey {
    case count, result, note, matrix
    case distanceSums = "loss_acc"
    case images = "iter"
    case warmupImages = "split_start"
    case nearest = "i_nears"
    case rivalCounts = "near2"
  }
}

/// The arrays of `F/k*_b*.safetensors`, split by step.
struct GoldenCounters {
  private let nodes: Int
  private let batch: Int
  private let allDistances: [Float]
  private let allNearest: [Int]
  private let allLineages: [Int]
  private let allRivals: [Double]
  private let rows: [String: [Double]]

  init(file: String, nodes: Int, batch: Int) throws {
    let golden = try Golden.safetensors(file)
    self.nodes = nodes
    self.batch = batch
    allDistances = try golden.floats("loss_matrix")
    allNearest = try golden.int32s("i_nears").map { Int($0) }
    allLineages = try golden.int32s("i_to_idx").map { Int($0) }
    allRivals = try golden.doubles("near2")
    var rows: [String: [Double]] = [:]
    for name in ["count_before_split", "count", "loss_acc", "near2_rowsum", "near2_colsum"] {
      rows[name] = try golden.doubles(name)
    }
    self.rows = rows
  }

  func distances(_ step: Int) -> [Float] { cut(allDistances, step, batch * nodes) }
  func nearest(_ step: Int) -> [Int] { cut(allNearest, step, batch) }
  func lineage(_ step: Int) -> [Int] { cut(allLineages, step, nodes) }
  func rivals(_ index: Int) -> [Double] { cut(allRivals, index, nodes * nodes) }
  func row(_ name: String, _ step: Int) -> [Double] { cut(rows[name]!, step, nodes) }

  private func cut<Value>(_ values: [Value], _ step: Int, _ size: Int) -> [Value] {
    Array(values[step * size..<(step + 1) * size])
  }
}
