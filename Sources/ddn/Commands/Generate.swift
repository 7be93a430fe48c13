import ArgumentParser
import DDN
import DDNData
import DDNFigures
import DDNFiles
import DDNTraining
import Foundation
import Images
import Torch

struct Generate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw new images.",
    discussion: """
      Every seed draws a code, the same on any machine, and the code an image, whatever the batch size. Beside the folder \
      lie the codes (-codes.txt) and, with 9 images or more, a picture of the first 100, by class where the model knows \
      classes, and an archive of them (-examples.zip).

      Examples:
        ddn generate --seeds 0-99
        ddn generate --network runs/00000-mnist --seeds 0-999 --outdir samples --subdirs
        ddn generate --network mnist-k8-l3 --codes 3.0.7,3.0.6
        ddn generate --network runs/00002-faces --condition-image me.jpg --seeds 0-15
      """)

  @OptionGroup var network: NetworkOption

  @Option(help: "Folder for the images, NNNNNN.png.")
  var outdir = "generated"

  @Option(help: "Seeds, one image each, such as 0-99 or 1,2,5-10. (default: 0-99)")
  var seeds: SeedList?

  @Option(help: "Draw these codes instead of seeds: choices from the first level, dots between, commas between codes.")
  var codes: String?

  @Option(name: .customLong("class"), help: "Class of all images, for a class-conditional model. (default: by seed)")
  var classIndex: Int?

  @Option(
    help: "What a model that was trained with --condition is told: its gray, edges or low resolution are taken from it."
  )
  var conditionImage: String?

  @Flag(help: "Put images into folders of 1000.")
  var subdirs = false

  @Option(help: "Images at a time.")
  var batch = 64

  @Flag(name: [.customShort("n"), .long], help: "Print what would be done and stop.")
  var dryRun = false

  @OptionGroup(title: "Machine") var machine: MachineOptions

  func validate() throws {
    if !(1...1_000_000).contains(batch) { throw ValidationError("--batch \(batch) is not within 1...1000000") }
  }

  func run() throws {
    let device = try machine.start()
    let model = try network.load(device: device)
    let jobs = try makeJobs(model)
    let source = try loadConditionImage(model, device: device)
    let folder = URL(fileURLWithPath: outdir).standardizedFileURL  // Its name must be one, for the picture beside it.
    if dryRun {
      Terminal.print("would draw \(jobs.count) images with \(network.url.path) into \(folder.path) on \(device)")
      return
    }
    try Folder.create(folder)
    StopSignal.listen("stopping after this batch; once more to stop at once")
    var progress = ProgressLine(total: jobs.count, unit: "images")
    let start = ContinuousClock.now
    let shown = 100
    var first: [Bitmap] = []
    var firstFiles: [Data] = []
    // Batches of equal size: convolutions prepare themselves for every size they meet.
    let batches = (jobs.count + batch - 1) / batch
    let batch = (jobs.count + batches - 1) / batches
    for place in stride(from: 0, to: jobs.count, by: batch) {
      let batch = jobs[place..<min(place + batch, jobs.count)]
      let classes = model.network.classes > 0 ? batch.map(\.classIndex) : nil
      let images = try withPrecision(machine.precision ?? .float32, on: device) {
        try model.network.decode(
          batch.map(\.code), classes: classes, sources: source?.expanded([batch.count] + model.network.imageShape)
        ).bitmaps()
      }
      let files = try PictureFiles.write(zip(batch, images).map { (folder.appendingPathComponent($0.name), $1) })
      first += images.prefix(shown - first.count)
      firstFiles += files.prefix(shown - firstFiles.count)
      progress.show(batch.endIndex, rate: Double(batch.endIndex) / ((ContinuousClock.now - start) / .seconds(1)))
      if StopSignal.shouldStop() { throw Interrupted() }
    }
    progress.clear()
    Terminal.print("\(jobs.count) images in \(folder.path)")
    func beside(_ ending: String) -> URL {
      folder.deletingLastPathComponent().appendingPathComponent(folder.lastPathComponent + ending)
    }
    let lines = jobs.map { "\($0.name) \($0.code)\n" }.joined()
    try AtomicFile.write(Data(lines.utf8), to: beside("-codes.txt"))
    Terminal.print("codes in \(beside("-codes.txt").path)")
    guard first.count >= 9 else { return }
    // Seeds go through the classes in turn, so that every column is of one class.
    let classes = model.network.classes
    let columns = (2...20).contains(classes) && classIndex == nil ? max(10 / classes, 1) * classes : nil
    try SampleGrid.draw(first, columns: columns).write(to: beside(".png"))
    try ImageArchive.write(Array(zip(jobs.map(\.name), firstFiles)), to: beside("-examples.zip"))
    Terminal.print("the first \(first.count) in \(beside(".png").path) and \(beside("-examples.zip").path)")
  }

  /// `[1, C, H, W]`, cut to the square in its middle and resized; nil for a model that needs none.
  private func loadConditionImage(_ model: Model, device: Device) throws -> Tensor? {
    let kinds = model.network.conditions.filter(\.needsImages)
    guard let conditionImage else {
      guard let kind = kinds.first else { return nil }
      throw UsageError("this model is told '\(kind)' of an image; give one with --condition-image")
    }
    guard !kinds.isEmpty else {
      throw UsageError("--condition-image \(conditionImage): this model is told nothing of images; leave it out")
    }
    let shape = model.network.imageShape
    return try PNG.read(URL(fileURLWithPath: conditionImage), channels: shape[0] == 1 ? .gray : .rgb)
      .centerSquare().resized(width: shape[2], height: shape[1]).tensor().to(device)
  }

  /// One image to draw.
  private struct Job {
    let name: String
    let code: LatentCode
    let classIndex: Int
  }

  private func makeJobs(_ model: Model) throws -> [Job] {
    let network = model.network
    if let classIndex, !(0..<network.classes).contains(classIndex) {
      throw UsageError(
        network.classes == 0
          ? "--class \(classIndex): this model knows no classes; leave the option out"
          : "--class \(classIndex) is not within 0...\(network.classes - 1)")
    }
    if let codes {
      guard seeds == nil, !subdirs else { throw UsageError("--codes names the images; remove --seeds and --subdirs") }
      guard network.classes == 0 || classIndex != nil else {
        throw UsageError("--codes: this model knows classes; give --class 0...\(network.classes - 1)")
      }
      return try codes.split(separator: ",", omittingEmptySubsequences: false).map { text in
        let code = try LatentCode(parsing: String(text), nodesOfLevels: network.nodesOfLevels)
        return Job(name: "\(code).png", code: code, classIndex: classIndex ?? 0)
      }
    }
    return (seeds ?? SeedList(argument: "0-99")!).seeds.map { seed in
      let name = padded(seed) + ".png"
      return Job(
        name: subdirs ? "\(padded(seed / 1000 * 1000))/\(name)" : name,
        code: LatentCode(seed: seed, nodesOfLevels: network.nodesOfLevels),
        classIndex: classIndex ?? (network.classes > 0 ? Int(seed % UInt64(network.classes)) : 0))
    }
  }

  private func padded(_ seed: UInt64) -> String { zeroPadded(Int(seed), digits: 6) }
}
