import Foundation
import Torch

/// One side of a comparison: prepares a row, then does a timed run whenever it is told to.
///
/// Lines of text both ways, the same for the original's side: out `ready`; for every `run 3` the seconds that one of
/// three runs in a row took; for `quit`, or when nobody is left to say it, the peak memory of these runs in MiB: of the
/// process, or of a GPU's tensors.
public struct RowWorker {
  private let row: Row
  private let machine: Machine
  private let prepared: PreparedRow

  public init(_ row: Row, _ machine: Machine) throws {
    (self.row, self.machine) = (row, machine)
    prepared = try row.prepare(machine)
  }

  /// Writes the case: what the original needs to do the same work and to see that it did.
  public func writeCase(to folder: URL) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let description = String(decoding: try encoder.encode(row), as: UTF8.self)
    try SafetensorsFile.write(
      prepared.makeCase(), metadata: ["row": description], to: folder.appendingPathComponent("case.safetensors"))
  }

  /// Serves until the end of the input.
  ///
  /// - Parameters:
  ///   - read: the next line; nil at the end.
  ///   - print: takes a line and has it delivered before it returns.
  /// - Throws: `ProtocolError` for a line that means nothing; what the row's work throws.
  public func serve(read: () -> String?, print: (String) -> Void) throws {
    _ = try peakMebibytes(forgetting: true)
    print("ready")
    while let line = read(), line != "quit" {
      let words = line.split(separator: " ")
      guard words.count == 2, words[0] == "run", let runs = Int(words[1]), runs > 0 else {
        throw ProtocolError(line: line)
      }
      print("\(try machine.time(prepared, runs: runs))")
    }
    print("\(try peakMebibytes())")
  }

  public struct ProtocolError: Error, CustomStringConvertible {
    let line: String
    public var description: String { "'\(line)' is neither run, with a number of runs, nor quit" }
  }

  /// The most memory that the device's tensors, or on a CPU this process, have held.
  ///
  /// - Parameter forgetting: makes what is held now the most: preparing and comparing may have taken more than the work
  ///   does. On a CPU that is possible on Linux only; elsewhere, and where the system refuses, both sides count them.
  private func peakMebibytes(forgetting: Bool = false) throws -> Double {
    if case .cuda(let index) = machine.device {
      return Double(try LibTorch.peakCudaMemory(device: index, resetting: forgetting)) / 1_048_576
    }
    #if os(Linux)
      if forgetting { try? Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs")) }
      // Not getrusage, which on Linux can tell the peak of whoever started this process.
      let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
      let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
      return (Double(line.filter(\.isNumber)) ?? .nan) / 1024
    #else
      var usage = rusage()
      getrusage(RUSAGE_SELF, &usage)
      return Double(usage.ru_maxrss) / 1_048_576  // macOS counts bytes.
    #endif
  }
}
