import DDNFiles
import Foundation
import Torch

/// A running program that scores images; `Documentation/ExternalGuides.md` has the protocol.
final class GuideProgram {
  /// What went wrong, to follow "it".
  private struct Failure: Error {
    let problem: String
  }

  private let process: ChildProcess
  private let timeout: Double
  private let showErrors: (Data) -> Void
  private let failure: (String) -> GuideError
  private var errorTail: [UInt8] = []
  private var thrown: (any Error)?
  private var batches = (made: 0, begun: 0)

  /// Starts a shell command.
  ///
  /// - Parameters:
  ///   - command: run by `/bin/sh -c`.
  ///   - timeout: seconds for each answer.
  ///   - showErrors: gets what the program writes to its standard error.
  ///   - failure: makes an error of a problem, such as "it exited with code 3".
  /// - Throws: the error of `failure` when the system refuses a process.
  init(
    _ command: String, timeout: Double, showErrors: @escaping (Data) -> Void,
    failure: @escaping (String) -> GuideError
  ) throws {
    self.timeout = timeout
    self.showErrors = showErrors
    self.failure = failure
    do { process = try ChildProcess(command: command) } catch let error as POSIXError {
      throw failure("it cannot be started: \(String(cString: strerror(error.code.rawValue)))")
    }
  }

  deinit {
    process.finish(within: 1)
    forwardLastErrors()
  }

  /// A number for another batch, from 1.
  func newBatchNumber() -> Int {
    batches.made += 1
    return batches.made
  }

  /// Whether the program does not know of a batch yet, or has begun another one since.
  func begins(batch number: Int) -> Bool {
    defer { batches.begun = number }
    return batches.begun != number
  }

  /// Ends the program.
  ///
  /// - Parameter problem: to follow the guide's name.
  /// - Returns: the error that every further call throws, with the last line of the program's standard error.
  func fail(_ problem: String) -> any Error {
    process.finish(within: 0)
    forwardLastErrors()
    let line = String(decoding: errorTail, as: UTF8.self).split(whereSeparator: \.isNewline).last
    let last = line.map { "; the last line of its standard error is \(quoted($0))" } ?? ""
    let error = failure(problem + last)
    thrown = error
    return error
  }

  /// Sends a request and waits for its scores.
  ///
  /// After an error the program has ended, and every further call throws the same error.
  ///
  /// - Parameters:
  ///   - request: header lines and tensors, in order.
  ///   - count: how many scores are due.
  ///   - place: what is scored, for messages: "level 2".
  /// - Throws: the error of `failure`; `TorchError` when the pulse stops the work.
  func scores(_ count: Int, for request: [Data], at place: String) throws -> [Float] {
    if let thrown { throw thrown }
    do {
      return try BrokenPipeSignal.blocked { try exchange(request, count: count) }
    } catch let error as Failure {
      throw fail("at \(place) it \(error.problem)")
    } catch {
      process.finish(within: 0)
      thrown = error
      throw error
    }
  }

  private func exchange(_ request: [Data], count: Int) throws -> [Float] {
    let deadline = ContinuousClock.now + .seconds(timeout)
    var none = ScoreAnswer(count: 0)
    try receive(&none)
    var answer = ScoreAnswer(count: count)
    guard process.output.isOpen else { throw ended(answer) }
    var rest = request[...]
    while !answer.isComplete || !rest.isEmpty {
      try callPulse()
      guard ContinuousClock.now < deadline else {
        let state = rest.isEmpty ? "did not answer" : "did not read its input"
        throw Failure(problem: "\(state) within \(timeout.plain) s; timeout= gives it more")
      }
      // In short waits, so that the pulse can stop the work.
      var streams = [process.output, process.errors].filter(\.isOpen).map {
        pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0)
      }
      if !rest.isEmpty { streams.append(pollfd(fd: process.input.descriptor, events: Int16(POLLOUT), revents: 0)) }
      guard poll(&streams, nfds_t(streams.count), 50) > 0 else { continue }
      for stream in streams where stream.revents != 0 {
        switch stream.fd {
        case process.errors.descriptor: forwardErrors()
        case process.input.descriptor: send(&rest)
        default: try receive(&answer)
        }
      }
    }
    return answer.scores
  }

  /// Sends some bytes and removes them from `rest`; all of them when the program reads no more.
  private func send(_ rest: inout ArraySlice<Data>) {
    let first = rest.removeFirst()
    let written = first.withUnsafeBytes { write(process.input.descriptor, $0.baseAddress, $0.count) }
    if written >= 0 {
      if written < first.count { rest.insert(first.dropFirst(written), at: rest.startIndex) }
    } else if errno == EAGAIN || errno == EINTR {
      rest.insert(first, at: rest.startIndex)
    } else {
      rest = []  // It may have answered already.
    }
  }

  /// Reads what has come of an answer.
  private func receive(_ answer: inout ScoreAnswer) throws {
    guard let bytes = process.output.read() else { return }
    guard !bytes.isEmpty else {
      process.output.close()
      guard answer.isComplete else { throw ended(answer) }
      return
    }
    do throws(ScoreAnswer.Malformed) { try answer.append(bytes) } catch { throw Failure(problem: error.problem) }
  }

  private func ended(_ answer: ScoreAnswer) -> Failure {
    let end = process.finish(within: 1).map(\.description) ?? "closed its standard output"
    return Failure(problem: "\(end) \(answer.progress)")
  }

  /// Passes on what the program has written to its standard error.
  private func forwardErrors() {
    guard let bytes = process.errors.read() else { return }
    guard !bytes.isEmpty else { return process.errors.close() }
    showErrors(bytes)
    errorTail = (errorTail + bytes).suffix(4096)
  }

  /// Passes on what an ended program has left.
  private func forwardLastErrors() {
    var tail: [UInt8]
    repeat {
      tail = errorTail
      forwardErrors()
    } while process.errors.isOpen && tail != errorTail
  }
}

extension ChildProcess.Stream {
  /// What there is to read, up to a limit: empty at the end, nil when nothing has come yet.
  fileprivate func read() -> Data? {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while isOpen {
      let count = Foundation.read(descriptor, &buffer, buffer.count)
      if count >= 0 { return Data(buffer[..<count]) }
      guard errno == EINTR else { return errno == EAGAIN ? nil : Data() }
    }
    return nil
  }
}

/// Writing to a pipe that has no reader ends a process, unless it ignores the signal; a library may not decide that.
private enum BrokenPipeSignal {
  static func blocked<R>(_ body: () throws -> R) rethrows -> R {
    var (signals, before) = (sigset_t(), sigset_t())
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    let wasPending = isPending
    pthread_sigmask(SIG_BLOCK, &signals, &before)
    defer {
      var number: Int32 = 0
      if isPending, !wasPending { sigwait(&signals, &number) }
      pthread_sigmask(SIG_SETMASK, &before, nil)
    }
    return try body()
  }

  private static var isPending: Bool {
    var pending = sigset_t()
    sigpending(&pending)
    return sigismember(&pending, SIGPIPE) == 1
  }
}

extension Double {
  /// Without a fraction that is zero.
  fileprivate var plain: String { self == rounded() ? String(Int(self)) : String(self) }
}
