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

struct Generate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Generate images.",
    discussion: """
      Each seed determines a code, the same on any machine, and the code an image, for any batch size. Writes images/, \
      a data set with dataset.json; codes.txt, a line per image with name, code and, for a class-conditional model, \
      class; and for 9 images or more samples.png, a grid of the first 100, in columns by class, and examples.zip, an \
      archive of them.

      A folder with other files is refused without --overwrite. The same command resumes an interrupted one.

      Examples:
        ddn generate --seeds 0-99
        ddn generate --network runs/00000-mnist --seeds 0-999 --outdir samples --subdirs
        ddn generate --network mnist-k8-l3 --codes 3.0.7,3.0.6
        ddn generate --network cifar10 --codes reconstructed/codes.txt --outdir decoded
        ddn generate --network runs/00002-faces --condition-image me.jpg --seeds 0-15
      """)

  @OptionGroup var network: NetworkOption

  @Option(help: "Folder for images/, codes.txt, samples.png and examples.zip.")
  var outdir = "generated"

  @Flag(help: "Overwrite the folder's outputs; other files stay.")
  var overwrite = false

  @Option(help: "Seeds, one image each, such as 0-99 or 1,2,5-10. (default: 0-99)", transform: SeedList.init(parsing:))
  var seeds: SeedList?

  @Option(
    help: .init(
      """
      Codes instead of seeds: choices from the first level, separated by dots, such as 3.0.7 or with a class 3.0.7:4; \
      codes separated by commas; or a file in the format of codes.txt, or - for standard input.
      """, valueName: "codes|file|-"))
  var codes: String?

  @Option(
    name: .customLong("class"), parsing: .unconditional,
    help: "Class of all images, for a class-conditional model. (default: by seed)", transform: wholeNumber(atLeast: 0))
  var classIndex: Int?

  @Option(
    help: """
      The image to condition on, for a model trained with --condition: its gray version, edges or low resolution are \
      computed. Any size and format; transparency becomes white, animations give their first frame.
      """)
  var conditionImage: String?

  @Flag(help: "Write images to folders of 1000.")
  var subdirs = false

  @Option(
    parsing: .unconditional, help: "Images per batch. (default: \(DrawingJob.defaultBatch))",
    transform: wholeNumber(in: 1...1_000_000))
  var batch = DrawingJob.defaultBatch

  @Flag(name: [.customShort("n"), .long], help: "Print what would be done and stop.")
  var dryRun = false

  @OptionGroup(title: "Machine") var machine: MachineOptions

  func run() throws {
    let device = try machine.start()
    let model = try network.load(device: device)
    let jobs = try makeJobs(model)
    let source = try model.conditionImage(conditionImage, device: device)
    let url = URL(fileURLWithPath: outdir)
    if dryRun {
      Terminal.print(
        "would draw \(counted(jobs.count, "image")) with \(network.url.path) into \(url.path) on \(device)")
      return
    }
    let hasExamples = jobs.count >= 9
    let folder = try OutputFolder(
      url, for: identity(of: jobs),
      files: jobs.map(\.file) + ["codes.txt", "images/dataset.json"]
        + (hasExamples ? ["samples.png", "examples.zip"] : []),
      overwrites: overwrite)
    let classes = model.network.classes
    let lines = jobs.map { CodeList.line(name: $0.name, $0.entry.code, classIndex: $0.entry.classIndex) + "\n" }
    try AtomicFile.write(Data(lines.joined().utf8), to: folder.file("codes.txt"))
    try Folder.create(folder.file("images"))
    try AtomicFile.write(
      ImageLabels(labels: classes > 0 ? jobs.compactMap(\.entry.classIndex) : nil).data(names: jobs.map(\.name)),
      to: folder.file("images/dataset.json"))
    let first = try draw(jobs, model, source, into: folder, device)
    Terminal.print("\(counted(jobs.count, "image")) in \(folder.file("images").path)")
    Terminal.print("codes in \(folder.file("codes.txt").path)")
    guard hasExamples else { return }
    // Seeds cycle through the classes, so every column is one class.
    let columns = (2...20).contains(classes) && classIndex == nil ? max(10 / classes, 1) * classes : nil
    try SampleGrid.draw(first.map(\.bitmap), columns: columns).write(to: folder.file("samples.png"))
    try ImageArchive.write(
      Array(zip(jobs.map(\.name), first.map(\.file))), to: folder.file("examples.zip"))
    Terminal.print(
      "the first \(first.count) in \(folder.file("samples.png").path) and \(folder.file("examples.zip").path)")
  }

  private typealias Drawn = (bitmap: Bitmap, file: Data)

  /// Draws all missing images, and always the first hundred.
  ///
  /// - Returns: the first hundred.
  private func draw(
    _ jobs: [Job], _ model: Model, _ source: Tensor?, into folder: OutputFolder, _ device: Device
  ) throws -> [Drawn] {
    StopSignal.listen("stopping; the same command resumes from here; Ctrl-C again after 3 seconds stops at once")
    var progress = ProgressLine(total: jobs.count, unit: "images")
    defer { progress.clear() }
    let exampleCount = 100
    var first: [Drawn] = []
    let drawing = DrawingJob(
      jobs.map(\.entry), by: model.network, conditionImage: source, precision: machine.precision ?? .float32,
      batchSize: batch)
    func isNeeded(_ range: Range<Int>) -> Bool {
      range.lowerBound < exampleCount || !folder.isContinued
        || !jobs[range].allSatisfy { FileManager.default.fileExists(atPath: folder.file($0.file).path) }
    }
    try drawing.run(isNeeded: isNeeded, shouldContinue: StopSignal.shouldContinue) { range, images in
      let pictures = try images.bitmaps()
      let files = try PictureFiles.write(zip(jobs[range], pictures).map { (folder.file($0.file), $1) })
      first += zip(pictures, files).prefix(exampleCount - first.count).map { ($0, $1) }
      progress.show(range.upperBound)
    }
    return first
  }

  /// Identifies the job by all that determines its images.
  private func identity(of jobs: [Job]) -> OutputFolder.Job {
    var options = [
      "network": network.identity, "precision": (machine.precision ?? .float32).rawValue,
      "codes": FileIdentity.checksum(of: jobs.map { "\($0.file) \($0.entry.code) \($0.entry.classIndex ?? 0)" }),
    ]
    if let conditionImage {
      options["conditionImage"] = FileIdentity.text(of: URL(fileURLWithPath: conditionImage))
    }
    return .init(command: "generate", options: options)
  }

  /// One image to draw.
  private struct Job {
    /// Path in `images`.
    let name: String
    let entry: CodeList.Entry
    var file: String { "images/\(name)" }
  }

  private func makeJobs(_ model: Model) throws -> [Job] {
    let network = model.network
    try model.check(classIndex: classIndex)
    if let codes {
      guard seeds == nil else { throw UsageError("--codes and --seeds exclude each other; remove one") }
      return try list(codes, network).enumerated().map { number, entry in
        let classIndex = entry.classIndex ?? classIndex
        guard classIndex != nil || network.classes == 0 else {
          throw UsageError(
            "--codes: code \(number + 1) has no class, but this model has classes; append it to the code, as in "
              + "\(entry.code):0, or give --class 0...\(network.classes - 1)")
        }
        return Job(name: name(number), entry: .init(code: entry.code, classIndex: classIndex))
      }
    }
    let all = (self.seeds ?? .default).seeds
    var distinct: Set<UInt64> = []
    let seeds = all.filter { distinct.insert($0).inserted }
    if seeds.count < all.count {
      Terminal.printError("note: --seeds repeats \(counted(all.count - seeds.count, "seed")); each is drawn once")
    }
    let drawn = CodeList(seeds: seeds, in: network.codeSpace, classes: network.classes, classIndex: classIndex)
    return zip(seeds, drawn.entries).map { Job(name: name(Int($0)), entry: $1) }
  }

  /// The codes of `--codes`: inline, a file, or standard input.
  private func list(_ text: String, _ network: any DiscreteDistributionNetwork) throws -> [CodeList.Entry] {
    let (space, classes) = (network.codeSpace, network.classes)
    if text == "-" {
      let lines = String(decoding: FileHandle.standardInput.readDataToEndOfFile(), as: UTF8.self)
      return try CodeList(lines: lines, path: "standard input", in: space, classes: classes).entries
    }
    let isCodes = !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isNumber || ".,: ".contains($0)) }
    guard !isCodes, text.contains("/") || FileManager.default.fileExists(atPath: text) else {
      return try CodeList(parsing: text, in: space, classes: classes).entries
    }
    let lines = String(decoding: try InputFile.map(URL(fileURLWithPath: text)), as: UTF8.self)
    return try CodeList(lines: lines, path: text, in: space, classes: classes).entries
  }

  private func name(_ number: Int) -> String {
    func padded(_ number: Int) -> String { zeroPadded(number, digits: 6) }
    return (subdirs ? "\(padded(number / 1000 * 1000))/" : "") + padded(number) + ".png"
  }
}
