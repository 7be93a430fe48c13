import Foundation
import Testing

@testable import DDNGuidance

@Suite("Child processes")
struct ChildProcessTests {
  /// Until a condition holds; false after some seconds.
  private static func waits(seconds: Double = 60, until condition: () throws -> Bool) rethrows -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while try !condition() {
      guard ContinuousClock.now < deadline else { return false }
      usleep(10_000)
    }
    return true
  }

  /// A zombie that another process has not collected yet does not run.
  private static func runs(_ process: pid_t) -> Bool {
    guard kill(process, 0) == 0 else { return false }
    let state = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
    return state.map { !$0.contains(") Z") } ?? true
  }

  private static func readNumber(_ stream: ChildProcess.Stream) throws -> pid_t {
    var buffer = [UInt8](repeating: 0, count: 32)
    #expect(waits { read(stream.descriptor, &buffer, buffer.count) > 0 })
    let digits = buffer.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    return try #require(pid_t(String(decoding: digits, as: UTF8.self)))
  }

  @Test("how a command ended is known")
  func ends() throws {
    #expect(try ChildProcess(command: "exit 7").finish(within: 60) == .exit(7))
    #expect(try ChildProcess(command: "kill -TERM $$").finish(within: 60) == .signal(SIGTERM))
    #expect(try ChildProcess(command: "cat").finish(within: 60) == .exit(0))
    #expect(try ChildProcess(command: "sleep 99").finish(within: 0.1) == nil)
  }

  @Test("what a command has started ends with it")
  func groups() throws {
    let process = try ChildProcess(command: "sleep 99 & echo $!; cat >/dev/null")
    let sleeper = try Self.readNumber(process.output)
    #expect(Self.runs(sleeper))
    #expect(process.finish(within: 60) == .exit(0))
    #expect(Self.waits { !Self.runs(sleeper) })
  }

  @Test("a command that ignores the end of its input and signals ends with this process")
  func orphans() throws {
    let process = try ChildProcess(command: "trap '' TERM INT HUP; echo $$; while :; do sleep 1; done")
    let shell = try Self.readNumber(process.output)
    process.life.close()
    #expect(Self.waits { !Self.runs(shell) })
    #expect(process.finish(within: 60) == .signal(SIGKILL))
  }

  @Test("a command does not inherit ignored signals")
  func signals() throws {
    signal(SIGUSR2, SIG_IGN)
    defer { signal(SIGUSR2, SIG_DFL) }
    #expect(try ChildProcess(command: "kill -USR2 $$").finish(within: 60) == .signal(SIGUSR2))
  }

  @Test("neither zombies nor descriptors are left")
  func leaks() throws {
    func openDescriptors() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/dev/fd").count }
    let before = try openDescriptors()
    for number in 0..<50 {
      let process = try ChildProcess(command: number % 2 == 0 ? "cat" : "exit 1").identifier
      #expect(waitpid(process, nil, WNOHANG) == -1 && errno == ECHILD)
    }
    // Other tests open files meanwhile; a leak of one descriptor per process would be 50.
    #expect(try Self.waits { try openDescriptors() < before + 40 })
  }
}
