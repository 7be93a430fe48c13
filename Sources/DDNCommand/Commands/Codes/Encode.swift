import ArgumentParser
import DDN
import DDNCodes
import DDNData
import DDNEvaluation
import DDNFiles
import DDNPictures
import DDNTraining
import Foundation
import Images
import Torch

struct Encode: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Encode images to a small file of codes.",
    discussion: """
      Each level chooses the image nearest to the target; the choices of all images are one .ddn file, which ddn decode \
      turns into images on any machine with the same model. Prints the bits of the codes and of the file, and PSNR and \
      SSIM of what it decodes to.

      The model's prior gives likely choices fewer bits. More paths (--beams) find codes with less error for the same \
      bits, at a time that grows with their number.

      With --evaluate, no codes are written, but evaluation.md and evaluation.json with rate and distortion at every \
      level, beside a PCA code and residual k-means of the same bits and beside JPEG, WebP, AVIF and JPEG XL; \
      rate-distortion.svg; and comparison.png.

      Examples:
        ddn encode face.jpg --network faces64 --class 1    writes face.ddn
        ddn encode --data cifar10-test.zip --network cifar10 --out test.ddn --beams 8
        ddn encode face.jpg --network faces64 --class 1 --psnr 22       as many levels as it takes
        ddn encode face.jpg --network faces64 --class 1 --weight eyes.png
        ddn encode --network mnist --lambda 0.001           fewer bits for a little more error
        ddn encode --evaluate --network faces64 --data smiles64-test.zip --train-data smiles64-train.zip
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
    parsing: .unconditional, help: "Number of images of the data set, from the first. (default: all)",
    transform: wholeNumber(atLeast: 1))
  var count: Int?

  @Option(name: [.customShort("o"), .long], help: "The file to write. (default: the image's name, or codes.ddn)")
  var out: String?

  @Flag(help: "Overwrite the file.")
  var overwrite = false

  @Option(
    name: .customLong("class"), parsing: .unconditional,
    help: "Class of image files, for a class-conditional model.", transform: wholeNumber(atLeast: 0))
  var classIndex: Int?

  @OptionGroup var prior: PriorOption

  @OptionGroup(title: "Evaluation") var evaluation: EvaluationOptions

  @OptionGroup(title: "Search") var search: SearchOptions

  @Option(
    parsing: .unconditional, help: "Images per batch. (default: \(EncodingJob.defaultBatch), fewer with beams)",
    transform: wholeNumber(in: 1...1_000_000))
  var batch: Int?

  @Flag(name: [.customShort("n"), .long], help: "Print what would be done and stop.")
  var dryRun = false

  @OptionGroup(title: "Machine") var machine: MachineOptions

  func validate() throws {
    if !images.isEmpty, data != nil || resize != nil || count != nil {
      throw ValidationError("--data, --resize and --count are for data sets, not for image files")
    }
    if evaluation.evaluate,
      !images.isEmpty || out != nil || search.levels != nil || search.psnr != nil || search.weight != nil
    {
      throw ValidationError(
        "--evaluate takes a data set and all levels: leave out images, --out, --levels, --psnr, --weight")
    }
    if let out, URL(fileURLWithPath: out).pathExtension != "ddn" {
      throw ValidationError("--out \(out): a file of codes is a .ddn file; name it so")
    }
    if images.isEmpty, classIndex != nil {
      throw ValidationError("--class is for image files; the images of a data set have their own")
    }
  }

  func run() throws {
    let isShared = !dryRun && !evaluation.evaluate
    let (shared, device) = try isShared ? machine.startShared() : (SharedJob(group: nil), machine.start())
    let model = try network.load(device: device)
    try model.check(classIndex: classIndex)
    let prior = try prior.load(for: network, model)
    let search = try search.search(of: model, prior: prior, device: device)
    let targets = try TargetImages(
      images, data: data, resize: resize, count: count, defaultCount: .max, of: model, device: device
    )
    .inClass(classIndex, of: model, device: device)
    if evaluation.evaluate {
      return try evaluation.run(
        targets, search, model, prior, identity: identity, precision: machine.precision ?? .float32,
        batchSize: batch ?? max(EncodingJob.defaultBatch / search.beams, 1), overwrites: overwrite, dryRun: dryRun,
        device: device)
    }
    guard targets.count <= CodeFileHeader.maxCount else {
      throw UsageError(
        "there are \(targets.count) images, and a .ddn file holds at most \(CodeFileHeader.maxCount); give fewer with --count"
      )
    }
    if dryRun {
      Terminal.print("would encode \(counted(targets.count, "image")) with \(network.url.path) to \(file.path)")
      return
    }
    _ = try shared.first {
      try checkOutput(file.path, overwrites: overwrite)
      return true
    }
    try encode(targets, search, model, prior, shared, device: device)
  }

  private func encode(
    _ targets: TargetImages, _ search: CodeSearch, _ model: Model, _ prior: IntegerPrior?, _ shared: SharedJob,
    device: Device
  ) throws {
    StopSignal.listen("stopping; nothing is written; Ctrl-C again after 3 seconds stops at once")
    let job = EncodingJob(
      targets.source, count: targets.count, by: model.network, search: search, precision: machine.precision ?? .float32,
      batchSize: batch ?? max(EncodingJob.defaultBatch / search.beams, 1))
    let slice = job.slice(of: shared.share)
    var progress = ProgressLine(total: slice.count, unit: "images")
    var part = EncodedPart()
    try job.run(share: shared.share, shouldContinue: StopSignal.shouldContinue) { range, batch in
      let cut = try self.search.cut(batch.reconstruction, targets: batch.targets, by: model.network)
      part.choices += cut.codes.map(\.choices)
      part.classes += batch.classes ?? []
      part.qualities += try ImageQuality.compare(cut.images.written(), to: batch.targets)
      part.below += cut.below
      progress.show(range.upperBound - slice.lowerBound)
    }
    progress.clear()
    let parts = try shared.gather(PropertyListEncoder().encode(part))
    try shared.finish()
    guard shared.isMain else { return }
    part = EncodedPart()
    for data in parts { part.add(try PropertyListDecoder().decode(EncodedPart.self, from: data)) }
    let (qualities, below) = (part.qualities, part.below)
    let entries = try part.entries(in: model.network.codeSpace)
    let table = try CodeTable(entries, in: model.network.codeSpace)
    let key = try CodeFile.Key(model, prior: prior)
    let bytes = try CodeFile.data(table, key: key)
    try AtomicFile.write(bytes, to: file)
    report(try CodeFile(bytes, path: file.path, key: key), qualities, imageShape: model.network.imageShape)
    if below > 0, let psnr = self.search.psnr {
      Terminal.printError("note: \(counted(below, "image")) below \(psnr) dB with all levels")
    }
  }

  private func report(_ codes: CodeFile, _ qualities: [ImageQuality], imageShape: [Int]) {
    let count = Double(codes.table.count)
    let pixels = Double(imageShape[1] * imageShape[2])
    func line(_ what: String, _ bits: Double) -> String {
      String(format: "\(what) %.1f bits an image, %.4f a pixel", bits / count, bits / count / pixels)
    }
    Terminal.print(line("codes ", codes.table.bits))
    Terminal.print(line("file  ", Double(codes.fileBytes * 8)) + ", \(counted(codes.fileBytes, "byte"))")
    let psnr = qualities.reduce(0) { $0 + $1.psnr } / count
    let ssim = qualities.reduce(0) { $0 + $1.ssim } / count
    Terminal.print(
      "\(counted(codes.table.count, "image")): " + String(format: "PSNR %.2f dB, SSIM %.4f", psnr, ssim))
    Terminal.print(file.path)
  }

  /// Identifies an evaluation by all that determines its outputs.
  private var identity: [String: String] {
    [
      "network": network.identity, "data": data ?? "", "resize": (resize ?? TrainingDefaults.resize).rawValue,
      "count": count.map(String.init) ?? "", "beams": "\(search.beams)",
      "lambda": search.lambda.map { "\($0)" } ?? "",
      "prior": prior.url(for: network).map { FileIdentity.text(of: $0) } ?? "",
      "precision": (machine.precision ?? .float32).rawValue,
    ]
  }

  private var file: URL {
    if let out { return URL(fileURLWithPath: out) }
    guard images.count == 1 else { return URL(fileURLWithPath: "codes.ddn") }
    let name = URL(fileURLWithPath: images[0]).deletingPathExtension().lastPathComponent
    return URL(fileURLWithPath: name + ".ddn")
  }
}

/// The codes that one process has found.
private struct EncodedPart: Codable {
  var choices: [[Int]] = []
  /// Empty for a network without classes.
  var classes: [Int] = []
  var qualities: [ImageQuality] = []
  /// Images whose error stays above the target.
  var below = 0

  mutating func add(_ other: EncodedPart) {
    choices += other.choices
    classes += other.classes
    qualities += other.qualities
    below += other.below
  }

  func entries(in space: CodeSpace) throws -> [CodeList.Entry] {
    try choices.indices.map {
      CodeList.Entry(code: try LatentCode(choices[$0], in: space), classIndex: classes.isEmpty ? nil : classes[$0])
    }
  }
}
