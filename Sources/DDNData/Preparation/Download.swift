import DDNFiles
import Foundation

/// Downloads a file with curl, resuming partial downloads, and verifies its checksum.
public struct Download {
  public let address: URL
  public let file: PublishedDataset.File
  /// The verified file; until then its bytes are in `.NAME.part` beside it.
  public let target: URL

  /// - Parameters:
  ///   - file: what to fetch.
  ///   - base: URL of the folder on the server.
  ///   - folder: of the file.
  public init(_ file: PublishedDataset.File, from base: URL, to folder: URL) {
    self.file = file
    address = base.appendingPathComponent(file.name)
    target = folder.appendingPathComponent(file.name)
  }

  private var part: URL { target.deletingLastPathComponent().appendingPathComponent(".\(file.name).part") }

  /// - Parameters:
  ///   - shouldStop: polled; true stops the download and keeps the partial file.
  ///   - progress: called with the number of bytes so far.
  /// - Returns: false when the file existed.
  /// - Throws: `FileError`: `failed` for network, server and disk errors; `invalid` when an existing or downloaded file
  ///   has a wrong checksum. `DatasetConversion.Stopped`.
  public func fetch(shouldStop: () -> Bool = { false }, progress: (Int) -> Void = { _ in }) throws -> Bool {
    if FileManager.default.fileExists(atPath: target.path) {
      guard try SHA256.checksum(of: target) == file.sha256 else {
        throw FileError(
          .invalid, path: target.path, problem: "exists, but its checksum is wrong",
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
          ? "the downloaded file has a wrong checksum" : "the downloaded file has \(count) of \(file.bytes) bytes",
        remedy: "try again, or download it elsewhere and put it at \(target.path)")
    }
    guard rename(part.path, target.path) == 0 else { throw FileError.system("cannot be written", path: target.path) }
    return true
  }

  private struct NoRanges: Error {}

  /// Runs curl.
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
        kill(process.processIdentifier, SIGKILL)  // Keeps the partial file.
        process.waitUntilExit()
        throw DatasetConversion.Stopped()
      }
    }
    let output = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    try check(process.terminationStatus, output.split(whereSeparator: \.isNewline).joined(separator: ", "))
  }

  /// - Parameter message: curl's error output.
  private func check(_ status: Int32, _ message: String) throws {
    let resume = "run this again to resume, or put the file at \(target.path)"
    switch status {
    case 0: return
    case 33: throw NoRanges()
    case 5, 6, 7, 28: throw failure("no network, or the server does not answer: \(message)", resume)
    case 18, 52, 55, 56, 92: throw failure("the connection broke: \(message)", resume)
    case 22: throw failure("the server refuses: \(message)", "try again later, or give another server with --url")
    case 23: throw failure("cannot be written: \(message)", "free some space or choose another --outdir")
    case 63:
      throw failure("does not have the expected \(file.bytes) bytes: \(message)", "give another server with --url")
    case 127: throw failure("curl is not installed", "install it, or put the file at \(target.path)")
    default: throw failure("curl failed with \(status): \(message)", "try again, or put the file at \(target.path)")
    }
  }

  private func failure(_ problem: String, _ remedy: String) -> FileError {
    FileError(.failed, path: address.absoluteString, problem: problem, remedy: remedy)
  }

  /// 0 for a missing file.
  private func byteCount(of url: URL) -> Int {
    let attributes = try? FileManager.default.attributesOfItem(atPath: url.path)
    return (attributes?[.size] as? NSNumber)?.intValue ?? 0
  }
}
