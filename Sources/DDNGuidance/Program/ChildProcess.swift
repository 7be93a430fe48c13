import Foundation

/// A shell command with pipes to its standard input, output and error.
///
/// It leads a process group, which is killed when the command is ended, and a second after this process ends in any way.
final class ChildProcess {
  /// Our end of a pipe; does not block.
  final class Stream {
    fileprivate(set) var descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }
    deinit { close() }

    var isOpen: Bool { descriptor >= 0 }

    func close() {
      if isOpen { _ = Foundation.close(descriptor) }
      descriptor = -1
    }
  }

  /// How it ended.
  enum End: Equatable, CustomStringConvertible {
    case exit(Int32)
    case signal(Int32)

    var description: String {
      switch self {
      case .exit(let code): "exited with code \(code)"
      case .signal(let number): "was ended by signal \(number) (\(String(cString: strsignal(number))))"
      }
    }
  }

  let input: Stream
  let output: Stream
  let errors: Stream
  /// Held open by this process alone: the guard sees its end.
  let life: Stream
  let identifier: pid_t
  private var end: End?

  private static let starting = NSLock()

  /// A guard in the process group waits for the end of this process, then gives the command a second.
  private static let script = """
    { trap '' HUP INT TERM; read -r _; sleep 1; kill -KILL 0; } <&3 >/dev/null 2>&1 3<&- &
    exec 3<&- /bin/sh -c "$1"
    """

  /// Starts `/bin/sh -c command`.
  ///
  /// - Throws: `POSIXError` when the system refuses a process or pipes.
  init(command: String) throws {
    Self.starting.lock()  // A pipe is not closed in other programs from its first moment.
    defer { Self.starting.unlock() }
    let pipes = try (0..<4).map { _ in try Pipe() }
    (input, output, errors, life) = (pipes[0].writing, pipes[1].reading, pipes[2].reading, pipes[3].writing)
    for stream in [input, output, errors] {
      _ = fcntl(stream.descriptor, F_SETFL, fcntl(stream.descriptor, F_GETFL) | O_NONBLOCK)
    }
    let theirs = [pipes[0].reading, pipes[1].writing, pipes[2].writing, pipes[3].reading]
    identifier = try withExtendedLifetime(theirs) {
      try Self.spawn(["/bin/sh", "-c", Self.script, "sh", command], descriptors: theirs.map(\.descriptor))
    }
  }

  deinit { finish(within: 1) }

  /// Closes its standard input, waits for its end, and kills what is left of its process group.
  ///
  /// - Parameter seconds: how long to wait.
  /// - Returns: how it ended; nil if it had to be killed.
  @discardableResult
  func finish(within seconds: Double) -> End? {
    input.close()
    guard end == nil else { return end }
    let deadline = ContinuousClock.now + .seconds(seconds)
    var status: Int32 = 0
    // The process stays a zombie until the group is killed, so its number is not reused meanwhile.
    while !hasExited() {
      guard ContinuousClock.now < deadline else { break }
      usleep(2000)
    }
    let isKilled = !hasExited()
    kill(-identifier, SIGKILL)
    while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
    life.close()
    let signal = status & 0x7f
    end = signal == 0 ? .exit(status >> 8 & 0xff) : .signal(signal)
    return isKilled ? nil : end
  }

  private func hasExited() -> Bool {
    var information = siginfo_t()
    while waitid(P_PID, id_t(identifier), &information, WEXITED | WNOHANG | WNOWAIT) < 0 {
      guard errno == EINTR else { return true }
    }
    return information.si_signo == SIGCHLD
  }

  /// - Parameters:
  ///   - arguments: the program's path first.
  ///   - descriptors: what becomes 0, 1 and so on in the process.
  private static func spawn(_ arguments: [String], descriptors: [Int32]) throws -> pid_t {
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
      var attributes: posix_spawnattr_t?
    #else
      var actions = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    for (number, descriptor) in descriptors.enumerated() {
      posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
    }
    // Signals that this process ignores or blocks would stay so in the command.
    var (all, none) = (sigset_t(), sigset_t())
    sigfillset(&all)
    for number in [SIGKILL, SIGSTOP] { sigdelset(&all, number) }
    sigemptyset(&none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
    var pointers = arguments.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var identifier: pid_t = 0
    let code = posix_spawn(&identifier, arguments[0], &actions, &attributes, &pointers, environ)
    guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EAGAIN) }
    return identifier
  }

  /// Both ends are closed in other programs that this process starts.
  private struct Pipe {
    let reading: Stream
    let writing: Stream

    init() throws {
      var ends: [Int32] = [-1, -1]
      let status = pipe(&ends)
      guard status == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EMFILE) }
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      (reading, writing) = (Stream(ends[0]), Stream(ends[1]))
    }
  }
}
