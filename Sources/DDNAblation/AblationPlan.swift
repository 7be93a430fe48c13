import DDN
import DDNTraining

/// A row of an ablation study: a training with changes.
public struct AblationRow: Sendable, Equatable {
  /// "default", "k8" or "no-split-no-dropout": the beginning of its run folders' names.
  public let name: String
  /// "K=8, without Split-and-Prune".
  public let label: String
  /// Of its runs, but for the seed.
  public let options: TrainingOptions
}

/// A row that an ablation study does not have, and why.
public struct AblationOmission: Codable, Sendable, Equatable {
  /// As a row's.
  public let label: String
  public let reason: String
}

/// A training of an ablation study.
public struct AblationRun: Sendable, Equatable {
  public let row: AblationRow
  public let seed: UInt64

  public init(row: AblationRow, seed: UInt64) { (self.row, self.seed) = (row, seed) }

  /// Of the row, with the seed.
  public var options: TrainingOptions {
    var options = row.options
    options.seed = seed
    return options
  }

  /// Of the run's folder.
  public var name: String { "\(row.name)-seed\(seed)" }
}

/// The rows and runs of an ablation study: the unchanged training first, then one row for each set of changes.
public struct AblationPlan: Sendable, Equatable {
  public let base: TrainingOptions
  /// The first is the base.
  public let rows: [AblationRow]
  public let omissions: [AblationOmission]
  public let seeds: [UInt64]

  /// All rows of the first seed, then of the next, so that a stopped study is balanced.
  public var runs: [AblationRun] { seeds.flatMap { seed in rows.map { AblationRun(row: $0, seed: seed) } } }

  /// Words for sets of changes that belong together.
  ///
  /// The paper trains K=2 without chain dropout.
  public static let groups: [String: [[AblationChange]]] = {
    let nodes: [[AblationChange]] = [[.nodes(512)], [.nodes(64)], [.nodes(8)], [.nodes(2), .withoutChainDropout]]
    let others: [[AblationChange]] = [
      [.withoutSplit], [.withoutChainDropout], [.withoutLearnedResidual], [.withoutLeakChoice],
    ]
    return [
      "nodes": nodes, "table2": nodes + others,
      "figure12": [[.withoutChainDropout], [.withoutSplit, .withoutChainDropout], [.withoutSplit]],
    ]
  }()

  /// Sets of changes from text: words of `groups` or changes, joined by `+` for several at once, separated by commas.
  ///
  /// - Throws: `ConfigurationError` naming an unknown word.
  public static func changes(parsing text: String) throws(ConfigurationError) -> [[AblationChange]] {
    var sets: [[AblationChange]] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      if let group = groups[String(part)] {
        sets += group
        continue
      }
      var changes: [AblationChange] = []
      for word in part.split(separator: "+", omittingEmptySubsequences: false) {
        do throws(ConfigurationError) { changes.append(try AblationChange(parsing: word)) } catch {
          throw ConfigurationError(
            error.description + ", nor one of \(groups.keys.sorted().joined(separator: ", "))")
        }
      }
      sets.append(changes)
    }
    return sets
  }

  /// - Parameters:
  ///   - base: valid options of the unchanged training.
  ///   - changes: of each other row. Rows that the network cannot have, and repeats, become omissions.
  ///   - seeds: of every row's runs.
  /// - Throws: `ConfigurationError` when only the base is left, or seeds repeat.
  public init(base: TrainingOptions, changes: [[AblationChange]], seeds: [UInt64]) throws(ConfigurationError) {
    guard !seeds.isEmpty, Set(seeds).count == seeds.count else {
      throw ConfigurationError("the seeds of a study must be different, and at least one")
    }
    self.base = base
    self.seeds = seeds
    var rows = [AblationRow(name: "default", label: "default, K=\(base.network.mostNodes)", options: base)]
    var omissions: [AblationOmission] = []
    for set in changes {
      let result = Self.row(of: set, base)
      switch result {
      case .success(let row):
        if let same = rows.first(where: { $0.options == row.options }) {
          if same.name != row.name { omissions.append(.init(label: row.label, reason: "is \(same.label)")) }
        } else {
          rows.append(row)
        }
      case .failure(let omission):
        // K of the unchanged training is its row.
        if set != [.nodes(base.network.mostNodes)] { omissions.append(omission) }
      }
    }
    guard rows.count > 1 else {
      let first = omissions.first.map { ": \($0.label): \($0.reason)" } ?? ""
      throw ConfigurationError("there is nothing to compare\(first)")
    }
    self.rows = rows
    self.omissions = omissions
  }

  private enum RowResult {
    case success(AblationRow)
    case failure(AblationOmission)
  }

  private static func row(of changes: [AblationChange], _ base: TrainingOptions) -> RowResult {
    var options = base
    var applied: [AblationChange] = []
    var reasons: [String] = []
    func omission(_ reason: String) -> RowResult {
      .failure(.init(label: AblationChange.label(changes), reason: reason))
    }
    for change in changes {
      switch change.apply(to: &options) {
      case .changed: applied.append(change)
      case .alreadySo(let reason): reasons.append(reason)
      case .impossible(let reason): return omission(reason)
      }
    }
    guard !applied.isEmpty else { return omission(reasons.joined(separator: ", ")) }
    do throws(ConfigurationError) { try options.validate() } catch { return omission(error.description) }
    return .success(
      AblationRow(
        name: applied.map(\.name).joined(separator: "-"), label: AblationChange.label(applied), options: options))
  }
}
