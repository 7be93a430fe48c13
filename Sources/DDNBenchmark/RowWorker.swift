import DDNFiles
import Foundation
import Torch

/// One side of a comparison: prepares a row, then runs and times it on request.
///
/// A line protocol, the same for the original's side: prints `ready`; for every `run 3` the mean seconds of three runs;
/// for `quit` or end of input the peak memory of the runs in MiB, of the process or of a GPU's tensors.
public struct RowWorker {
  private let row: Row
  private let machine: Machine
  private let prepared: PreparedRow

  public init(_ row: Row, _ machine: Machine) throws {
    (self.row, self.machine) = (row, machine)
    prepared = try row.prepare(machine)
  }

  /// Writes the case file: inputs for the original, and expected results.
  public func writeCase(to folder: URL) throws {
    let description = String(decoding: try JSONEncoder.oneLine.encode(row), as: UTF8.self)
    try SafetensorsFile.write(
      prepared.makeCase(), metadata: ["row": description], to: folder.appendingPathComponent("case.safetensors"))
  }

  /// Serves until the end of the input.
  ///
  /// - Parameters:
  ///   - read: the next line; nil at the end.
  ///   - print: prints a line without buffering.
  /// - Throws: `ProtocolError` for an invalid line; what the row's work throws.
  public func serve(read: () -> String?, print: (String) -> Void) throws {
    _ = try peakMebibytes(resetting: true)
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
    public var description: String { "'\(line)' is neither 'quit' nor 'run' with a number of runs" }
  }

  /// Peak memory of the device's tensors, or on a CPU of this process.
  ///
  /// - Parameter resetting: resets the peak, to exclude preparation. On a CPU only Linux can do this; elsewhere both
  ///   sides include it.
  private func peakMebibytes(resetting: Bool = false) throws -> Double {
    if case .cuda(let index) = machine.device {
      return Double(try LibTorch.peakCudaMemory(device: index, resetting: resetting)) / 1_048_576
    }
    #if os(Linux)
      if resetting { try? Data("5".utf8).write(to: URL(fileURLWithPath: "/proc/self/clear_refs")) }
      // Not getrusage, which on Linux can include the parent process's peak.
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
