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
    abstract: "Encode images, and draw their reconstructions.",
    discussion: """
      Each level chooses the image nearest to the target. Prints each level's mean squared error, in units of [-1, 1] \
      squared, and PSNR and SSIM; writes images.csv with the same per image, reconstructions.png with targets and \
      every level's choice, and codes.txt, a line per image with name, code and, for a class-conditional model, class, \
      for ddn decode. Image files of any size and format are center-cropped and resized; transparency \
      becomes white, animations give their first frame.

      A folder with other files is refused without --overwrite.

      Examples:
        ddn reconstruct                                     the shipped test digits
        ddn reconstruct --network runs/00000-mnist --data mnist --count 10000
        ddn reconstruct --network runs/00001-cifar10 --data cifar10-test.zip
        ddn reconstruct my-digit.png                        your own image, white on black
        ddn reconstruct frog.jpg --network cifar10 --class 6
      """)

  @Argument(help: "Image files; none for --data or test digits.")
  var images: [String] = []

  @OptionGroup var network: NetworkOption

  @Option(
    help: """
      Zip file, tar archive or folder of images; the test split of MNIST and CIFAR. (default: 1000 shipped test digits)
      """)
  var data: String?

  @Option(help: "Resizing of 28x28 digits to 32x32: bilinear or padded. (default: \(TrainingDefaults.resize.rawValue))")
  var resize: DigitDataset.Resize?

  @Option(
    name: .customLong("class"), parsing: .unconditional,
    help: "Class of image files, for a class-conditional model.", transform: wholeNumber(atLeast: 0))
  var classIndex: Int?

  @Option(
    parsing: .unconditional,
    help: "Number of images of the data set, from the first. (default: \(defaultCount), or all if fewer)",
    transform: wholeNumber(atLeast: 1))
  var count: Int?

  @Option(
    parsing: .unconditional, help: "Images in reconstructions.png. (default: 16)",
    transform: wholeNumber(in: 1...200))
  var rows = 16

  @Option(
    parsing: .unconditional, help: "Paths that the search keeps; more find better codes and take longer. (default: 1)",
    transform: wholeNumber(in: 1...4096))
  var beams = 1

  @Option(help: "Folder for codes.txt, images.csv and reconstructions.png.")
  var outdir = "reconstructed"

  @Flag(help: "Overwrite the folder's outputs; other files stay.")
  var overwrite = false

  @Option(
    parsing: .unconditional, help: "Images per batch. (default: \(EncodingJob.defaultBatch), fewer with beams)",
    transform: wholeNumber(in: 1...1_000_000))
  var batch: Int?

  @OptionGroup(title: "Machine") var machine: MachineOptions

  func validate() throws {
    if !images.isEmpty, data != nil || resize != nil || count != nil {
      throw ValidationError("--data, --resize and --count are for data sets, not for image files")
    }
    if images.isEmpty, classIndex != nil {
      throw ValidationError("--class is for image files; the images of a data set have their own")
    }
  }

  func run() throws {
    let (shared, device) = try machine.startShared()
    let model = try network.load(device: device)
    let targets = try TargetImages(
      images, data: data, resize: resize, count: count, defaultCount: Self.defaultCount, of: model, device: device
    ).inClass(classIndex, of: model, device: device)
    let names = ["codes.txt", "images.csv", "reconstructions.png"]
    let outputs = URL(fileURLWithPath: outdir)
    _ = try shared.first {
      try OutputFolder(outputs, for: identity, files: names, overwrites: overwrite).isContinued
    }

    StopSignal.listen("stopping; Ctrl-C again after 3 seconds stops at once")
    var report = ReconstructionReport(codeSpace: model.network.codeSpace, imageShape: model.network.imageShape)
    // The grid shows the first batch.
    var search = CodeSearch()
    search.beams = beams
    let size = batch ?? max(EncodingJob.defaultBatch / beams, 1)
    let encoding = EncodingJob(
      targets.source, count: targets.count, by: model.network, search: search,
      precision: machine.precision ?? .float32, batchSize: max(size, min(rows, targets.count)))
    var progress = ProgressLine(total: encoding.slice(of: shared.share).count, unit: "images")
    let start = ContinuousClock.now
    let shown = min(rows, targets.count)
    if shared.group != nil, shared.isMain, shown > encoding.slice(of: shared.share).count {
      let first = try encoding(0..<shown, while: StopSignal.shouldContinue)
      try draw(first.targets, first.reconstruction, model, to: outputs.appendingPathComponent(names[2]))
    }
    try encoding.run(share: shared.share, shouldContinue: StopSignal.shouldContinue) { range, batch in
      if range.lowerBound == 0, range.count >= shown {
        try draw(batch.targets, batch.reconstruction, model, to: outputs.appendingPathComponent(names[2]))
      }
      try report.add(
        batch.reconstruction, targets: batch.targets, names: range.map(targets.name), classes: batch.classes)
      progress.show(report.count)
    }
    progress.clear()
    for (rank, data) in try shared.gather(report.data()).enumerated() where rank > 0 && shared.isMain {
      try report.add(data, space: model.network.codeSpace)
    }
    try shared.finish()
    guard shared.isMain else { return }

    try AtomicFile.write(Data(report.codeLines.utf8), to: outputs.appendingPathComponent(names[0]))
    try AtomicFile.write(Data(report.csv.utf8), to: outputs.appendingPathComponent(names[1]))
    for line in report.levelLines { Terminal.print(line) }
    Terminal.print(report.summary)
    Terminal.print("\(formatRate(Double(report.count) / ((.now - start) / .seconds(1)))) images a second")
    for name in names { Terminal.print(outputs.appendingPathComponent(name).path) }
  }

  /// Identifies the job by all that determines its outputs.
  private var identity: OutputFolder.Job {
    .init(
      command: "reconstruct",
      options: [
        "network": network.identity, "images": images.joined(separator: "\n"), "data": data ?? "",
        "resize": (resize ?? TrainingDefaults.resize).rawValue, "count": count.map(String.init) ?? "",
        "rows": String(rows), "beams": String(beams), "class": classIndex.map(String.init) ?? "",
        "precision": (machine.precision ?? .float32).rawValue,
      ])
  }

  private func draw(_ targets: Tensor, _ result: Reconstruction, _ model: Model, to picture: URL) throws {
    let shown = min(rows, targets.shape[0])
    let codes = result.codes.prefix(shown)
    try ReconstructionGrid.draw(
      targets: targets.slice(0, 0..<shown), levels: result.levels.map { try $0.slice(0, 0..<shown) },
      codes: model.network.codeSpace.levels.count <= 16 ? Array(codes) : []  // Longer codes are wider than the grid.
    ).write(to: picture)
  }

  private static let defaultCount = 1000
}
