import DDN
import Torch

/// How many of the nearest images a search by distance finds, compared with decoding all codes.
public struct SearchRecall {
  private let search: TreeSearch
  private let classIndex: Int?
  /// `[N, D]`, the decoded images.
  private let decoded: Tensor
  /// Images to find.
  private let top: Int
  private var (queries, hits, firstHits, seconds) = (0, 0, 0, 0.0)

  /// Decodes all codes.
  ///
  /// - Parameters:
  ///   - search: the search to judge.
  ///   - top: images to find, at least 1.
  ///   - classIndex: whose codes are searched; nil for all.
  ///   - progress: called with the number of decoded images; false stops.
  /// - Throws: `JobStopped`; `TorchError`.
  public init(
    of search: TreeSearch, top: Int, classIndex: Int? = nil,
    progress: (Int) -> Bool = { _ in !Task.isCancelled }
  ) throws {
    (self.search, self.classIndex) = (search, classIndex)
    let entries = (0..<search.index.count).map { search.index.entry($0) }.filter {
      classIndex == nil || $0.classIndex == classIndex
    }
    self.top = min(top, entries.count)
    var images: [Tensor] = []
    try DrawingJob(entries, by: search.network).run { range, batch in
      images.append(try batch.reshaped([range.count, -1]))
      guard progress(range.upperBound) else { throw JobStopped() }
    }
    decoded = try .concatenate(images)
  }

  /// Searches for one image, `[1, C, H, W]` in [-1, 1].
  ///
  /// - Throws: `TorchError`.
  public mutating func add(_ target: Tensor) throws {
    let distances = try (decoded - target.reshaped([1, -1])).squared().mean([1]).array(Double.self).sorted()
    let start = ContinuousClock.now
    let found = try search.nearest(to: target, classIndex: classIndex, count: top)
    seconds += (ContinuousClock.now - start) / .seconds(1)
    // Equal images are equally near: distances are compared, not names.
    func isWithin(_ distance: Double, _ bound: Double) -> Bool { distance <= bound * 1.0001 + 1e-6 }
    hits += found.count { isWithin($0.distance, distances[top - 1]) }
    if let first = found.first, isWithin(first.distance, distances[0]) { firstHits += 1 }
    queries += 1
  }

  /// The share of the `top` nearest images that were found.
  public var found: Double { Double(hits) / Double(max(queries * top, 1)) }
  /// The share of queries whose nearest image was found.
  public var foundFirst: Double { Double(firstHits) / Double(max(queries, 1)) }
  /// Mean duration of a search.
  public var milliseconds: Double { seconds / Double(max(queries, 1)) * 1000 }
}
