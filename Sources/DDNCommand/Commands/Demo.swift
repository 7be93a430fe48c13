import ArgumentParser
import DDN
import DDNData
import DDNFigures
import DDNFiles
import DDNPictures
import DDNTraining
import Foundation
import Images
import Torch

struct Demo: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a small model on digits, then generate and reconstruct some: about a minute.",
    discussion: """
      Trains 8 nodes x 3 levels on 9,000 shipped digits, generates new digits, reconstructs some of 1,000 held-out \
      digits, and writes the images and a page to open in a browser.
      """)

  @Option(parsing: .unconditional, help: "Seconds to train. (default: 60)", transform: number(from: 1, to: 86_400))
  var seconds = 60.0

  @Option(help: "Folder for the images and index.html; an earlier demo's are replaced.")
  var outdir = "demo-output"

  @Flag(help: "Overwrite the folder's outputs; other files stay.")
  var overwrite = false

  @Option(parsing: .unconditional, help: "Random seed. (default: 0)", transform: seedNumber)
  var seed: UInt64 = 0

  @OptionGroup(title: "Machine") var machine: MachineOptions

  func run() throws {
    let device = try machine.start()
    // All demos are the same job.
    let folder = try OutputFolder(
      URL(fileURLWithPath: outdir), for: .init(command: "demo"),
      files: ["samples.png", "reconstructions.png", "index.html"], overwrites: overwrite)
    let (seen, unseen) = try TrainingOptions.shippedDigits()
    Terminal.print("training 8 nodes x 3 levels on \(seen.count) digits for \(formatDuration(seconds))")
    let network = try train(on: TrainingImages(seen, device: device), device: device)

    let codes = (0..<100).map { LatentCode(seed: seed &+ $0, in: network.codeSpace) }
    try SampleGrid.draw(network.decode(codes).bitmaps(), columns: 10)
      .write(to: folder.file("samples.png"))

    let encoding = try EncodingJob(TrainingImages(unseen, device: device), by: network)
    let first = try encoding(0..<10)
    let result = first.reconstruction
    try ReconstructionGrid.draw(targets: first.targets, levels: result.levels, codes: result.codes, zoom: 3)
      .write(to: folder.file("reconstructions.png"))

    var sums = [Double](repeating: 0, count: network.codeSpace.levels.count)
    try encoding.run(shouldContinue: StopSignal.shouldContinue) { _, batch in
      sums = zip(sums, batch.reconstruction.errors).map { $0 + $1.reduce(0, +) }
    }
    let errors = sums.map { $0 / Double(unseen.count) }
    let bits = network.codeSpace.bits
    Terminal.print("held-out digits, error per level: \(errors.map { formatNumber($0) }.joined(separator: " "))")
    Terminal.print("their codes, \(formatNumber(bits, digits: 0)) bits each:")
    for (code, label) in zip(result.codes, unseen.labels) { Terminal.print("  a \(label) is \(code)") }

    let page = DemoPage(
      codeSpace: network.codeSpace, seconds: seconds, errors: errors, codes: zip(unseen.labels, result.codes))
    try AtomicFile.write(Data(page.html.utf8), to: folder.file("index.html"))
    Terminal.print("open \(folder.file("index.html").path)")
  }

  /// Trains for `seconds` and prints six status lines.
  private func train(on data: TrainingImages, device: Device) throws -> any DiscreteDistributionNetwork {
    StopSignal.listen("stopping; Ctrl-C again after 3 seconds stops at once")
    let clock = ContinuousClock()
    let start = clock.now
    func elapsed() -> Double { (clock.now - start) / .seconds(1) }
    let network = NetworkConfiguration.recurrent(.init(nodes: 8, repeats: 3))
    var options = TrainingOptions(network: network, images: .max, batch: 512, learningRate: 5e-3, seed: seed)
    options.precision = machine.precision
    let trainer = try Trainer(options, data: data, device: device)
    var progress = ProgressLine(total: Int(seconds), unit: "s")
    var nextLine = seconds / 6
    var status = ""
    while elapsed() < seconds && !StopSignal.shouldStop() {
      try trainer.step()
      if elapsed() >= nextLine {
        nextLine += seconds / 6
        let losses = try trainer.takeLosses()
        status = "loss \(losses.map { formatNumber($0, digits: 3) }.joined(separator: " "))"
        progress.clear()
        Terminal.print("\(formatDuration(elapsed()))  \(trainer.images) images  level losses \(status.dropFirst(5))")
      }
      progress.show(Int(elapsed()), rate: 1, "\(trainer.images) images  \(status)")
    }
    progress.clear()
    if StopSignal.shouldStop() { throw Interrupted() }
    trainer.network.setMode(.evaluation)
    return trainer.network
  }
}
