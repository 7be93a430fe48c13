import ArgumentParser
import DDN
import DDNData
import DDNEvaluation
import DDNFigures
import DDNFiles
import DDNPictures
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
      their middle and resized; transparent becomes white, and of an animation the first frame is taken. codes.txt has a line \
      an image, its name, its code and, for a model that knows classes, its class: ddn generate --codes draws them.

      A folder with other files is refused without --overwrite.

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

  @Option(help: "How 28x28 digits become 32x32: bilinear or padded. (default: \(TrainingDefaults.resize.rawValue))")
  var resize: DigitDataset.Resize?

  @Option(
    parsing: .unconditional,
    help: "How many of the data set's images, from the first. (default: \(defaultCount), or all if fewer)",
    transform: wholeNumber(atLeast: 1))
  var count: Int?

  @Option(
    parsing: .unconditional, help: "How many of them the picture shows. (default: 16)",
    transform: wholeNumber(in: 1...200))
  var rows = 16

  @Option(help: "Folder for codes.txt, images.csv and reconstructions.png.")
  var outdir = "reconstructed"

  @Flag(help: "Replace what is in the folder; files that ddn did not make stay.")
  var overwrite = false

  @Option(
    parsing: .unconditional, help: "Images at a time. (default: \(EncodingJob.defaultBatch))",
    transform: wholeNumber(in: 1...1_000_000))
  var batch = EncodingJob.defaultBatch

  @OptionGroup(title: "Machine") var machine: MachineOptions

  func validate() throws {
    if !images.isEmpty, data != nil || resize != nil || count != nil {
      throw ValidationError("--data, --resize and --count are for data sets, not for image files")
    }
  }

  func run() throws {
    let device = try machine.start()
    let model = try network.load(device: device)
    let targets = try loadTargets(model, device: device)
    let names = ["codes.txt", "images.csv", "reconstructions.png"]
    let folder = try OutputFolder(
      URL(fileURLWithPath: outdir), for: identity, files: names, overwrites: overwrite)

    StopSignal.listen("stopping; Ctrl-C again after 3 seconds stops at once")
    var progress = ProgressLine(total: targets.count, unit: "images")
    let start = ContinuousClock.now
    var report = ReconstructionReport(codeSpace: model.network.codeSpace, imageShape: model.network.imageShape)
    // The picture shows rows of the first batch.
    let encoding = EncodingJob(
      targets.source, count: targets.count, by: model.network, precision: machine.precision ?? .float32,
      batchSize: max(batch, min(rows, targets.count)))
    try encoding.run(shouldContinue: StopSignal.shouldContinue) { range, found in
      if range.lowerBound == 0 {
        try draw(found.targets, found.reconstruction, model, to: folder.file("reconstructions.png"))
      }
      try report.add(
        found.reconstruction, targets: found.targets, names: range.map(targets.name), classes: found.classes)
      progress.show(report.count, rate: Double(report.count) / ((ContinuousClock.now - start) / .seconds(1)))
    }
    progress.clear()

    try AtomicFile.write(Data(report.codeLines.utf8), to: folder.file("codes.txt"))
    try AtomicFile.write(Data(report.csv.utf8), to: folder.file("images.csv"))
    for line in report.levelLines { Terminal.print(line) }
    Terminal.print(report.summary)
    for name in names { Terminal.print(folder.file(name).path) }
  }

  /// What the outputs depend on.
  private var identity: OutputFolder.Job {
    .init(
      command: "reconstruct",
      options: [
        "network": network.identity, "images": images.joined(separator: "\n"), "data": data ?? "",
        "resize": (resize ?? TrainingDefaults.resize).rawValue, "count": count.map(String.init) ?? "",
        "rows": String(rows),
        "precision": (machine.precision ?? .float32).rawValue,
      ])
  }

  private func draw(_ targets: Tensor, _ result: Reconstruction, _ model: Model, to picture: URL) throws {
    let shown = min(rows, targets.shape[0])
    let codes = result.codes.prefix(shown)
    try ReconstructionGrid.draw(
      targets: targets.slice(0, 0..<shown), levels: result.levels.map { try $0.slice(0, 0..<shown) },
      codes: model.network.codeSpace.levels.count <= 16 ? Array(codes) : []  // Longer codes are wider than the picture.
    ).write(to: picture)
  }

  private static let defaultCount = 1000

  private func loadTargets(_ model: Model, device: Device) throws -> Targets {
    if images.isEmpty {
      let resize = resize ?? TrainingDefaults.resize
      let dataset = try loadDataset(resize: resize)
      guard count ?? 1 <= dataset.count else {
        throw UsageError("--count \(count!): there are \(dataset.count) images in \(data ?? dataset.name)")
      }
      try model.configuration.check(dataset, path: data ?? dataset.name, as: .reconstructing)
      return Targets(
        source: try TrainingImages(dataset, device: device), count: count ?? min(Self.defaultCount, dataset.count),
        name: { "\($0)" })
    }
    let pictures = try images.map { try PNG.read(URL(fileURLWithPath: $0), fittedTo: model.network.imageShape) }
    return Targets(source: PictureSource(pictures, device: device), count: pictures.count, name: { images[$0] })
  }

  private func loadDataset(resize: DigitDataset.Resize) throws -> ImageDataset {
    guard let data else { return ImageDataset(try TrainingOptions.shippedDigits(resize: resize).unseen) }
    let source = try openImages(URL(fileURLWithPath: data), split: .test, resize: resize)
    Terminal.printNotes(source.notes)
    return try ImageDataset(source, cacheBytes: 0)
  }

  private struct Targets {
    let source: any EncodingSource
    /// How many of the source's images, from the first.
    let count: Int
    /// An image's name in the report.
    let name: (Int) -> String
  }
}
