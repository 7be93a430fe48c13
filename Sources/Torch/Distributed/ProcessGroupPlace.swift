import Foundation

/// A process's place in a group, as its launcher describes it: rank, number of ranks, and where they meet.
public struct ProcessGroupPlace: Equatable, Sendable {
  /// In `0..<ranks`; rank 0 prints and writes.
  public var rank: Int
  public var ranks: Int
  /// The rank among those of this machine, and their number.
  public var localRank: Int
  public var localRanks: Int
  /// Where the ranks meet: a TCP store.
  public var host: String
  public var port: Int
  /// Whether this process serves the store; under torchrun its agent may.
  public var servesStore: Bool
  /// Counts the launcher's restarts.
  public var restarts: Int
  /// Timeouts, in seconds: of all ranks' joining, and of each operation after that.
  public var joinSeconds: Double
  public var operationSeconds: Double

  public static let defaultJoinSeconds = 300.0
  public static let defaultOperationSeconds = 1800.0

  /// The place in the environment that torchrun makes (`RANK`, `WORLD_SIZE`, ...), or Slurm's srun with `MASTER_ADDR`;
  /// nil for a single process.
  ///
  /// `DDN_JOIN_SECONDS` and `DDN_OPERATION_SECONDS` are the timeouts.
  ///
  /// - Throws: `ProcessGroupError` (`environment`) naming the first variable that is missing or impossible.
  /// - Source: the documentation of torchrun and of srun's environment.
  public init?(_ environment: [String: String]) throws(ProcessGroupError) {
    func number(_ name: String, _ range: ClosedRange<Int>) throws(ProcessGroupError) -> Int {
      guard let text = environment[name] else {
        throw ProcessGroupError(
          .environment, "\(name) is not set, but other variables of a launcher are; start with torchrun or srun")
      }
      guard let number = Int(text), range.contains(number) else {
        throw ProcessGroupError(
          .environment, "\(name) is '\(text)', not a number within \(range.lowerBound)...\(range.upperBound)")
      }
      return number
    }
    func optional(_ name: String, _ range: ClosedRange<Int>, else other: Int) throws(ProcessGroupError) -> Int {
      environment[name] == nil ? other : try number(name, range)
    }
    func seconds(_ name: String, else other: Double) throws(ProcessGroupError) -> Double {
      guard let text = environment[name] else { return other }
      guard let seconds = Double(text), seconds >= 1, seconds <= 1e6 else {
        throw ProcessGroupError(.environment, "\(name) is '\(text)', not seconds within 1...1000000")
      }
      return seconds
    }
    let isTorchrun = environment["RANK"] != nil || environment["WORLD_SIZE"] != nil
    let isSlurm = !isTorchrun && environment["SLURM_NTASKS"] != nil && environment["MASTER_ADDR"] != nil
    guard isTorchrun || isSlurm else { return nil }
    ranks = try number(isTorchrun ? "WORLD_SIZE" : "SLURM_NTASKS", 1...65_536)
    rank = try number(isTorchrun ? "RANK" : "SLURM_PROCID", 0...ranks - 1)
    if ranks == 1 { return nil }
    localRank = try optional(isTorchrun ? "LOCAL_RANK" : "SLURM_LOCALID", 0...ranks - 1, else: 0)
    // "4(x2)" on several nodes of equal size: the number before the parenthesis.
    let tasks = environment["SLURM_TASKS_PER_NODE"].flatMap { Int($0.prefix { $0.isNumber }) } ?? 1
    localRanks = isTorchrun ? try optional("LOCAL_WORLD_SIZE", 1...ranks, else: 1) : max(tasks, 1)
    guard let address = environment["MASTER_ADDR"], !address.isEmpty else {
      throw ProcessGroupError(.environment, "MASTER_ADDR is not set; start with torchrun, or export the host of rank 0")
    }
    host = address
    port = try number("MASTER_PORT", 1...65_535)
    servesStore = rank == 0 && environment["TORCHELASTIC_USE_AGENT_STORE"] != "True"
    restarts = try optional(
      isTorchrun ? "TORCHELASTIC_RESTART_COUNT" : "SLURM_RESTART_COUNT", 0...1_000_000, else: 0)
    joinSeconds = try seconds("DDN_JOIN_SECONDS", else: Self.defaultJoinSeconds)
    operationSeconds = try seconds("DDN_OPERATION_SECONDS", else: Self.defaultOperationSeconds)
  }

  /// Threads of this process without an option: `OMP_NUM_THREADS`, else the machine's cores divided by its ranks.
  public func threads(_ environment: [String: String], cores: Int) -> Int {
    let given = environment["OMP_NUM_THREADS"].flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
    return given > 0 ? given : max(cores / localRanks, 1)
  }
}

/// A group of processes cannot be formed, or has lost a process; one line.
public struct ProcessGroupError: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Kind: Sendable {
    /// The launcher's variables are wrong.
    case environment
    /// Not all ranks came in time.
    case join
    /// Another rank has ended, or did not answer in time.
    case lost
    /// A rank was started with something else than rank 0.
    case difference
  }

  public let kind: Kind
  public let description: String

  public init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }
}
