import ArgumentParser
import DDNBenchmark
import Foundation
import Torch

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure this machine: the forms of selection against each other, and what networks do in a second.",
    discussion: """
      Medians of runs in turns; ratios hold on a noisy machine, times do not.

      Example:
        ddn bench --rows layer
      """)

  @Option(help: "Only the rows whose name contains this.")
  var rows = ""

  @Option(help: "Runs of each row that count.")
  var rounds = 11

  @OptionGroup(title: "Machine") var machine: MachineOptions

  func validate() throws {
    if !(1...10_000).contains(rounds) { throw ValidationError("--rounds \(rounds) is not within 1...10000") }
  }

  func run() throws {
    let device = try machine.start()
    Terminal.print("libtorch \(Torch.version), \(Torch.threadCount) threads, \(device)")
    let layers = LayerBenchmark.all.filter { rows.isEmpty || $0.name.contains(rows) }
    let networks = NetworkBenchmark.all.filter { rows.isEmpty || $0.name.contains(rows) }
    guard layers.count + networks.count > 0 else { throw UsageError("--rows \(rows): no row's name contains this") }
    for layer in layers {
      let result = try layer.run(rounds: rounds, device: device)
      Terminal.print(
        "\(layer.name)  images \(milliseconds(result.images)), products \(milliseconds(result.products)), "
          + "cost model's choice \(milliseconds(result.chosen)): "
          + "\(formatNumber(result.images.seconds / result.chosen.seconds, digits: 1))x of images")
    }
    for network in networks {
      let rates = try network.run(rounds: rounds, warmupSteps: 20, device: device)
      Terminal.print(
        "\(network.name)  images/s: training \(Int(rates.training)), encoding \(Int(rates.encoding)), "
          + "generating \(Int(rates.generating))")
    }
  }

  private func milliseconds(_ timing: Timing) -> String { "\(formatNumber(timing.seconds * 1000, digits: 2)) ms" }
}
