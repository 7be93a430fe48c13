import Foundation

/// Several `ddn` processes that are started as torchrun starts them.
struct Ranks {
  let commands: [Command]

  /// - Parameters:
  ///   - count: of ranks.
  ///   - arguments: of every rank, or of each by its number.
  ///   - starts: the ranks that are started.
  ///   - environment: more variables, as in a shell.
  ///   - limit: a shell command before that of rank 0, such as `ulimit`.
  init(
    _ count: Int, starts: Range<Int>? = nil, environment: String = "", limit: String = ":",
    in folder: URL = Scratch.root, _ arguments: (Int) -> [String]
  ) throws {
    // Below those that Linux gives to connections: one of them would keep rank 0 from listening.
    let port = Int.random(in: 20_000..<32_768)
    commands = try (starts ?? 0..<count).map { rank in
      try Command(
        arguments(rank),
        shell: """
          export RANK=\(rank) WORLD_SIZE=\(count) LOCAL_RANK=\(rank) LOCAL_WORLD_SIZE=\(count) MASTER_ADDR=127.0.0.1
          export MASTER_PORT=\(port) OMP_NUM_THREADS=1 \(environment)
          \(rank == 0 ? limit : ":"); exec "$@"
          """, in: folder)
    }
  }

  func results() async throws -> [Command.Result] {
    var results: [Command.Result] = []
    for command in commands { results.append(try await command.result()) }
    return results
  }

  /// Runs all ranks with the same arguments; of one rank, without a group.
  static func run(_ count: Int, _ arguments: [String], in folder: URL = Scratch.root) async throws -> [Command.Result] {
    if count == 1 { return [try await Command.run(arguments, in: folder)] }
    return try await Ranks(count, in: folder) { _ in arguments }.results()
  }
}
