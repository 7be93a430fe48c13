import DDN
import Foundation
import Torch

/// How often the labels of test images are read off the tree, by the number of labelled images.
///
/// Source: paper, Table 3.
public struct LabelExperiment {
  /// How a label is read.
  public enum Rule: String, CaseIterable, Sendable {
    /// The paper's: the majority at the deepest node with votes.
    case votes
    /// Votes of ancestors smoothed into their descendants; the strength is chosen on labelled images.
    case smoothed
    /// Votes of labelled codes, weighted by the distance of decoded images; the width is chosen on labelled images.
    case neighbours
  }

  /// Images with labels.
  public struct Images {
    public let codes: PathTable
    /// `[N]`, 0 or more.
    public let labels: [Int]
    /// `[N, D]` uint8, `NeighbourClassifier.pixels(of:)` of the decoded images; nil for the other rules.
    public let decoded: Tensor?

    public init(codes: PathTable, labels: [Int], decoded: Tensor? = nil) {
      precondition(codes.count == labels.count, "\(codes.count) codes do not fit \(labels.count) labels")
      self.codes = codes
      self.labels = labels
      self.decoded = decoded
    }
  }

  /// The accuracy for one number of labelled images.
  public struct Accuracy: Sendable, Equatable {
    /// Labelled images.
    public let labelled: Int
    /// One for each draw, in 0...1.
    public let values: [Double]

    public var mean: Double { values.reduce(0, +) / Double(values.count) }
    /// Sample standard deviation; nil for a single draw.
    public var deviation: Double? {
      guard values.count > 1 else { return nil }
      return sqrt(values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1))
    }
  }

  /// The most labelled images that are drawn at random; more are the first ones, as in the paper's 50,000.
  public static let mostDrawn = 10_000

  private let training: Images
  private let tests: Images
  private let labels: Int
  private let draws: Int

  /// - Parameters:
  ///   - training: images of which some are labelled.
  ///   - tests: images whose labels are read.
  ///   - draws: random choices of labelled images, at least 1.
  public init(training: Images, tests: Images, draws: Int) {
    self.training = training
    self.tests = tests
    self.draws = draws
    labels = max(training.labels.max() ?? 0, tests.labels.max() ?? 0) + 1
  }

  /// - Parameters:
  ///   - labelled: number of labelled images, in 1...N.
  ///   - rule: reads the labels.
  ///   - shouldContinue: called before each draw; false stops.
  /// - Throws: `JobStopped`; `TorchError`.
  public func accuracy(
    labelled: Int, rule: Rule, shouldContinue: () -> Bool = { !Task.isCancelled }
  ) throws -> Accuracy {
    let isDrawn = labelled <= Self.mostDrawn && labelled < training.labels.count
    let values = try (0..<(isDrawn ? draws : 1)).map { draw in
      guard shouldContinue() else { throw JobStopped() }
      let rows = isDrawn ? Self.rows(labelled, of: training.labels.count, seed: UInt64(draw)) : Array(0..<labelled)
      let read = try self.read(rows, rule)
      return Double(zip(read, tests.labels).count { $0 == $1 }) / Double(tests.labels.count)
    }
    return Accuracy(labelled: labelled, values: values)
  }

  /// Distinct rows drawn at random: the first of a Fisher-Yates shuffle.
  static func rows(_ count: Int, of all: Int, seed: UInt64) -> [Int] {
    var generator = MersenneTwister(seed: seed)
    var rows = Array(0..<all)
    for place in 0..<count { rows.swapAt(place, place + generator.below(all - place)) }
    return Array(rows[..<count])
  }

  /// The label of each test image.
  private func read(_ rows: [Int], _ rule: Rule) throws -> [Int] {
    if rule == .neighbours { return try readNeighbours(rows) }
    let tree = LabelTree(training.codes, rows: rows, labelOfRow: training.labels, labels: labels)
    if rule == .votes { return (0..<tests.codes.count).map { tree.majority(tests.codes, row: $0) } }
    let strength = tree.bestStrength(training.codes, rows: rows, labelOfRow: training.labels)
    return (0..<tests.codes.count).map { row in
      let probabilities = tree.probabilities(tests.codes, row: row, strength: strength)
      return probabilities.indices.max { probabilities[$0] < probabilities[$1] }!
    }
  }

  private func readNeighbours(_ rows: [Int]) throws -> [Int] {
    guard let images = training.decoded, let queries = tests.decoded else {
      preconditionFailure("neighbours need decoded images")
    }
    let chosen = try images.gathered(Tensor(rows, shape: [rows.count])).unitRange()
    let classifier = try NeighbourClassifier(
      chosen, codeOfImage: training.codes.leafNumbers(of: rows), labelOfImage: rows.map { training.labels[$0] },
      labels: labels)
    return try classifier.labels(of: queries.unitRange())
  }
}
