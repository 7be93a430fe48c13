import ArgumentParser
import DDN
import DDNData
import DDNEvaluation
import DDNFigures
import DDNFiles
import DDNTraining
import Foundation
import Images
import Torch

struct Reconstruct: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Find the codes of images, and draw what they keep of them.",
    discussion: """
      At each level the image nearest to the target is chosen. Prints the error of the levels (mean square, in units \
      of [-1, 1]), and how near the results are (PSNR, SSIM); writes codes.txt, images.csv with the same for every \
      image, and a picture: target, then the levels' choices. Pictures of any size and format are cut to the square in \
      their middle and resized.

      Examples:
        ddn reconstruct                                     digits that are part of ddn and that it does not train on
        ddn reconstruct --network runs/00000-mnist --data mnist --count 10000
        ddn reconstruct --network runs/00001-cifar10 --data cifar10-test.zip
        ddn reconstruct my-digit.png                        your own picture, white on black
      """)

  @Argument(help: "Image files; none for --data or test digits.")
  var images: [String] = []

  @OptionGroup var network: NetworkOption

  @Option(
    help: """
      Zip file or folder of images; of MNIST and CIFAR-10 the test images. (default: the last 1000 digits that are part \
      of ddn)
      """)
  var data: String?

  @Option(help: "How 28x28 digits become 32x32: bilinear or padded. (default: bilinear)")
  var resize: DigitDataset.Resize?

  @Option(help: "How many of the data set's images, from the first. (default: 1000, or all if fewer)")
  var count: Int?

  @Option(help: "How many of them the picture shows.")
  var rows = 16

  @Option(help: "Folder for codes.txt, images.csv and reconstructions.png.")
  var outdir = "reconstructed"

  @Option(help: "Images at a time.")
  var batch = 256

  @OptionGroup(title: "Machine") var machine: MachineOptions

  func validate() throws {
    if let count, count < 1 { throw ValidationError("--count \(count) is not at least 1") }
    if !images.isEmpty, data != nil || resize != nil || count != nil {
      throw ValidationError("--data, --resize and --count are for data sets, not for image files")
    }
    if !(1...200).contains(rows) { throw ValidationError("--rows \(rows) is not within 1...200") }
    if !(1...1_000_000).contains(batch) { throw ValidationError("--batch \(batch) is not within 1...1000000") }
  }

  func run() throws {
    let device = try machine.start()
    let model = try network.load(device: device)
    let source = try loadTargets(model, device: device)
    let folder = URL(fileURLWithPath: outdir)
    try Folder.create(folder)

    StopSignal.listen("stopping after this batch; once more to stop at once")
    var progress = ProgressLine(total: source.count, unit: "images")
    let start = ContinuousClock.now
    var report = ReconstructionReport(nodesOfLevels: model.network.nodesOfLevels, imageShape: model.network.imageShape)
    let batch = max(batch, min(rows, source.count))  // The picture shows rows of the first batch.
    for place in stride(from: 0, to: source.count, by: batch) {
      let indices = Array(place..<min(place + batch, source.count))
      let (targets, classes) = try source.batch(indices)
      let result = try withPrecision(machine.precision ?? .float32, on: device) {
        try Reconstruction(of: targets, by: model.network, classes: classes)
      }
      if place == 0 { try draw(targets, result, model, folder) }
      try report.add(result, targets: targets, names: indices.map(source.name))
      progress.show(report.count, rate: Double(report.count) / ((ContinuousClock.now - start) / .seconds(1)))
      if StopSignal.shouldStop() { throw Interrupted() }
    }
    progress.clear()

    func place(_ name: String) -> URL { folder.appendingPathComponent(name) }
    try AtomicFile.write(Data(report.codeLines.utf8), to: place("codes.txt"))
    try AtomicFile.write(Data(report.csv.utf8), to: place("images.csv"))
    for line in report.levelLines { Terminal.print(line) }
    Terminal.print(report.summary)
    for name in ["codes.txt", "images.csv", "reconstructions.png"] { Terminal.print(place(name).path) }
  }

  private func draw(_ targets: Tensor, _ result: Reconstruction, _ model: Model, _ folder: URL) throws {
    let shown = min(rows, targets.shape[0])
    let codes = result.codes.prefix(shown)
    try ReconstructionGrid.draw(
      targets: targets.slice(0, 0..<shown), levels: result.levels.map { try $0.slice(0, 0..<shown) },
      codes: model.network.nodesOfLevels.count <= 16 ? Array(codes) : []  // Longer codes are wider than the picture.
    ).write(to: folder.appendingPathComponent("reconstructions.png"))
  }

  private func loadTargets(_ model: Model, device: Device) throws -> Targets {
    let shape = model.network.imageShape
    if images.isEmpty {
      let resize = resize ?? .bilinear
      let dataset = try loadDataset(resize: resize)
      guard count ?? 1 <= dataset.count else {
        throw UsageError("--count \(count!): there are \(dataset.count) images in \(data ?? dataset.name)")
      }
      try model.configuration.check(dataset, path: data ?? dataset.name)
      let tensors = try TrainingImages(dataset, device: device)
      return Targets(count: count ?? min(1000, dataset.count), name: { "\($0)" }, batch: { try tensors.batch($0) })
    }
    let bitmaps = try images.map { path in
      try PNG.read(URL(fileURLWithPath: path), channels: shape[0] == 1 ? .gray : .rgb)
        .centerSquare().resized(width: shape[2], height: shape[1])
    }
    return Targets(
      count: bitmaps.count, name: { images[$0] },
      batch: { indices in (try .concatenate(indices.map { try bitmaps[$0].tensor() }).to(device), nil) })
  }

  private func loadDataset(resize: DigitDataset.Resize) throws -> ImageDataset {
    guard let data else { return ImageDataset(try TrainingOptions.shippedDigits(resize: resize).unseen) }
    let source = try openImages(URL(fileURLWithPath: data), split: .test, resize: resize)
    Terminal.printNotes(source.notes)
    return try ImageDataset(source, cacheBytes: 0)
  }

  /// Images to reconstruct, batch by batch.
  private struct Targets {
    let count: Int
    /// What a report calls one of them.
    let name: (Int) -> String
    let batch: ([Int]) throws -> (images: Tensor, classes: Tensor?)
  }
}
