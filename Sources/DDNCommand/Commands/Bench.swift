import ArgumentParser
import DDNBenchmark
import Foundation
import Torch

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Benchmark layers and networks on this machine.",
    discussion: """
      Prints the median time of each row. `make bench` compares the same rows with the original program in Python.

      Example:
        ddn bench --rows layer
      """)

  @Option(help: "Run only rows whose name contains this text.")
  var rows = ""

  @Option(
    parsing: .unconditional, help: "Timed runs per row. (default: 5)", transform: wholeNumber(in: 1...10_000))
  var rounds = 5

  @Flag(help: "Print the names of all rows and stop.")
  var list = false

  @Option(help: "Name of the row to serve.")
  var row: String?

  @Option(
    help: """
      Write the case of --row to this folder and print 'ready'; then, for each input line 'run 3', the mean seconds of \
      three runs; 'quit' prints the peak memory in MiB.
      """)
  var serve: String?

  @OptionGroup(title: "Machine") var machine: MachineOptions

  func validate() throws {
    if (row == nil) != (serve == nil) { throw ValidationError("--row and --serve go together") }
  }

  func run() throws {
    if list {
      for row in Row.all { Terminal.print(row.name) }
    } else if let row, let serve {
      try serveRow(row, folder: URL(fileURLWithPath: serve))
    } else {
      try measure()
    }
  }

  private func serveRow(_ name: String, folder: URL) throws {
    guard let row = Row.all.first(where: { $0.name == name }) else {
      throw UsageError("--row \(name): no row has this name; ddn bench --list prints all names")
    }
    let worker = try RowWorker(row, startMachine())
    try worker.writeCase(to: folder)
    do {
      try worker.serve(read: { readLine() }, print: Terminal.print)
    } catch let error as RowWorker.ProtocolError {
      throw UsageError("standard input: \(error)")
    }
  }

  private func measure() throws {
    let chosen = Row.all.filter { rows.isEmpty || $0.name.contains(rows) }
    guard !chosen.isEmpty else {
      throw UsageError("--rows \(rows): no row's name contains this; ddn bench --list prints all names")
    }
    let machine = try startMachine()
    Terminal.print("libtorch \(LibTorch.version), \(LibTorch.threadCount) threads, \(machine.device)")
    for row in chosen {
      let seconds = try Timing(row, rounds: rounds, machine).seconds
      let value = row.unit.value(seconds: seconds, images: row.images)
      let rate = Double(row.images) / seconds
      let digits = value < 100 ? 2 : 0
      Terminal.print(
        "\(row.name)  \(formatNumber(value, digits: digits)) \(row.unit.rawValue)"
          + (row.unit == .imagesPerSecond || row.unit == .samplesPerSecond ? "" : ", \(Int(rate)) images/s"))
    }
  }

  private func startMachine() throws -> Machine {
    Machine(device: try machine.start(), precision: machine.precision ?? .float32)
  }
}
