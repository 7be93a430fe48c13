import DDNFiles
import Foundation

/// SHA-256 by sha256sum or shasum.
enum SHA256 {
  /// The SHA-256 of a file, in hexadecimal.
  ///
  /// - Throws: `FileError` when the file cannot be read, or neither program is installed.
  static func checksum(of url: URL) throws(FileError) -> String {
    _ = try InputFile.map(url)  // Reports unreadable files the usual way.
    for program in [["sha256sum"], ["shasum", "-a", "256"]] {
      if let text = output(of: program, reading: url), let sum = text.split(separator: " ").first, sum.count == 64 {
        return String(sum)
      }
    }
    throw FileError(
      .failed, path: url.path, problem: "cannot be checked: neither sha256sum nor shasum is installed",
      remedy: "install coreutils")
  }

  /// A program's output for a file; nil when it fails or is missing.
  private static func output(of arguments: [String], reading url: URL) -> String? {
    guard let file = try? FileHandle(forReadingFrom: url) else { return nil }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    process.standardInput = file
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return process.terminationStatus == 0 ? String(decoding: data, as: UTF8.self) : nil
  }
}
