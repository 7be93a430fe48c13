import CZlib
import DDNFiles
import Foundation

/// Checksums of bytes and of files.
enum Checksum {
  /// As zip, gzip and PNG files have it.
  static func crc32(_ bytes: Data) -> UInt32 {
    bytes.withUnsafeBytes { buffer in
      UInt32(crc32_z(0, buffer.bindMemory(to: UInt8.self).baseAddress, buffer.count))
    }
  }

  /// SHA-256 of a file in hexadecimal, by the system's program for it.
  ///
  /// - Throws: `FileError` when it cannot be read, or the system has no such program.
  static func sha256(of url: URL) throws(FileError) -> String {
    _ = try InputFile.map(url)  // What cannot be read is told as everywhere.
    for program in [["sha256sum"], ["shasum", "-a", "256"]] {
      if let text = output(of: program, reading: url), let sum = text.split(separator: " ").first, sum.count == 64 {
        return String(sum)
      }
    }
    throw FileError(
      .failed, path: url.path, problem: "cannot be checked: there is neither sha256sum nor shasum",
      remedy: "install coreutils")
  }

  /// What a program prints about a file; nil when it fails or is not there.
  private static func output(of arguments: [String], reading url: URL) -> String? {
    guard let file = try? FileHandle(forReadingFrom: url) else { return nil }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    process.standardInput = file
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }  // The next program is tried.
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return process.terminationStatus == 0 ? String(decoding: data, as: UTF8.self) : nil
  }
}
