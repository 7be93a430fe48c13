import DDNFiles
import Foundation

/// Fetches one file over HTTP with the program curl, goes on where an earlier try ended, and checks what came.
public struct Download {
  public let address: URL
  public let file: PublishedDataset.File
  /// Where the file will be; until it is whole and right, its bytes are beside it in `.NAME.part`.
  public let target: URL

  /// - Parameter base: the folder on the server.
  public init(_ file: PublishedDataset.File, from base: URL, to folder: URL) {
    self.file = file
    address = base.appendingPathComponent(file.name)
    target = folder.appendingPathComponent(file.name)
  }

  private var part: URL { target.deletingLastPathComponent().appendingPathComponent(".\(file.name).part") }

  /// - Parameters:
  ///   - shouldStop: asked several times a second; true ends the download and leaves what has come.
  ///   - progress: is told how many bytes there are.
  /// - Returns: false when the file was there already.
  /// - Throws: `FileError`: `failed` when there is no network, the server refuses or the disk is full; `invalid` when a
  ///   file that is there, or one that came, has another checksum. `DatasetConversion.Stopped`.
  public func fetch(shouldStop: () -> Bool = { false }, progress: (Int) -> Void = { _ in }) throws -> Bool {
    if FileManager.default.fileExists(atPath: target.path) {
      guard try SHA256.checksum(of: target) == file.sha256 else {
        throw FileError(
          .invalid, path: target.path, problem: "is there already, and its checksum is wrong",
          remedy: "remove it to download it again")
      }
      return false
    }
    if byteCount(of: part) > file.bytes { try Folder.remove(part) }
    if byteCount(of: part) < file.bytes {
      do { try run(shouldStop: shouldStop, progress: progress) } catch is NoRanges {
        try Folder.remove(part)
        try run(shouldStop: shouldStop, progress: progress)
      }
    }
    guard byteCount(of: part) == file.bytes, try SHA256.checksum(of: part) == file.sha256 else {
      let count = byteCount(of: part)
      try Folder.remove(part)
      throw FileError(
        .invalid, path: address.absoluteString,
        problem: count == file.bytes
          ? "came with a wrong checksum" : "came with \(count) bytes instead of \(file.bytes)",
        remedy: "try again, or download it elsewhere and put it at \(target.path)")
    }
    guard rename(part.path, target.path) == 0 else { throw FileError.system("cannot be written", path: target.path) }
    return true
  }

  private struct NoRanges: Error {}

  /// Runs curl to its end.
  private func run(shouldStop: () -> Bool, progress: (Int) -> Void) throws {
    let process = Process()
    let errors = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      "curl", "--fail", "--location", "--silent", "--show-error", "--proto", "=http,https",
      "--connect-timeout", "20", "--speed-limit", "1", "--speed-time", "60",
      "--max-filesize", String(file.bytes), "--continue-at", "-", "--output", part.path, address.absoluteString,
    ]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = errors
    do { try process.run() } catch { throw failure("env cannot be run", "check the system") }
    while process.isRunning {
      usleep(50_000)
      progress(byteCount(of: part))
      if shouldStop() {
        kill(process.processIdentifier, SIGKILL)  // What it has written stays.
        process.waitUntilExit()
        throw DatasetConversion.Stopped()
      }
    }
    let words = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    try check(process.terminationStatus, words.split(whereSeparator: \.isNewline).joined(separator: ", "))
  }

  /// - Parameter words: what curl said.
  private func check(_ status: Int32, _ words: String) throws {
    let again = "connect and run this again, which goes on where it stopped, or put the file at \(target.path)"
    switch status {
    case 0: return
    case 33: throw NoRanges()
    case 5, 6, 7, 28: throw failure("no network, or the server does not answer: \(words)", again)
    case 18, 52, 55, 56, 92: throw failure("the connection broke: \(words)", again)
    case 22: throw failure("the server refuses: \(words)", "try again later, or name another server with --url")
    case 23: throw failure("cannot be written: \(words)", "free some space or choose another --outdir")
    case 63:
      throw failure(
        "is not the \(file.bytes) bytes that it should be: \(words)", "name another server with --url")
    case 127: throw failure("the program curl is not installed", "install it, or put the file at \(target.path)")
    default: throw failure("curl failed with \(status): \(words)", "try again, or put the file at \(target.path)")
    }
  }

  private func failure(_ problem: String, _ remedy: String) -> FileError {
    FileError(.failed, path: address.absoluteString, problem: problem, remedy: remedy)
  }

  /// 0 for a file that is not there.
  private func byteCount(of url: URL) -> Int {
    let attributes = try? FileManager.default.attributesOfItem(atPath: url.path)
    return (attributes?[.size] as? NSNumber)?.intValue ?? 0
  }
}
