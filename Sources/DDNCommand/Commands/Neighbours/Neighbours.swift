import ArgumentParser
import DDN
import DDNClassifiers
import DDNData
import DDNEvaluation
import DDNFigures
import DDNFiles
import DDNPictures
import DDNTraining
import Foundation
import Images
import Torch

struct Neighbours: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Find the training images nearest to generated ones: does a model invent or repeat?",
    discussion: """
      Draws a grid, the paper's Figure 11: generated images at the left, those that ddn generate draws for the same seeds, then \
      the nearest training images. Nearness is by \
      classifier, the Euclidean distance of a shipped classifier's features (the default where one fits); by l2, the \
      root mean squared difference of pixels in gray levels, 0 to 255; or by lpips, whose weights you give. Writes \
      neighbours.png, and neighbours.json with names, distances and pixel differences.

      An image that differs from a training image by less than 1 % of the range is reported as a near duplicate.

      Examples:
        ddn neighbours
        ddn neighbours --network faces64 --data smiles64-train.zip --seeds 0-7 -n 8
        ddn neighbours --data mnist --by l2 --images seven.png
        ddn neighbours --network cifar10 --data cifar10-train.zip --by lpips --weights alexnet.pth --linear alex.pth
      """)

  @OptionGroup var network: NetworkOption

  @Option(
    help: """
      Training images: zip file, tar archive or folder of images; the training split of MNIST and CIFAR. (default: 9000 \
      shipped digits)
      """, completion: .file())
  var data: String?

  @Option(help: "Resizing of 28x28 digits to 32x32: bilinear or padded. (default: \(TrainingDefaults.resize.rawValue))")
  var resize: DigitDataset.Resize?

  @Option(
    help: "Seeds of generated images, such as 0-7 or 1,2,5-10. (default: 0-7)", transform: SeedList.init(parsing:))
  var seeds: SeedList?

  @OptionGroup var prior: PriorOption

  @OptionGroup var temperature: TemperatureOption

  @Option(
    name: .customLong("images"), parsing: .upToNextOption,
    help: "Image files to find neighbours of, instead of generated images; center-cropped and resized.",
    completion: .file())
  var images: [String] = []

  @Option(
    name: .customLong("class"), parsing: .unconditional,
    help: "Class of all images, for a class-conditional model. (default: by seed)", transform: wholeNumber(atLeast: 0))
  var classIndex: Int?

  @Option(help: "The image to condition on, for a model trained with --condition.", completion: .file())
  var conditionImage: String?

  @OptionGroup(title: "Distance") var measure: NeighbourMeasure

  @Option(
    name: [.customShort("n"), .customLong("nearest")], parsing: .unconditional,
    help: "Neighbours of each image. (default: 8)", transform: wholeNumber(in: 1...32))
  var nearest = 8

  @Option(help: "Folder for neighbours.png and neighbours.json.")
  var outdir = "neighbours"

  @Flag(help: "Overwrite the folder's outputs; other files stay.")
  var overwrite = false

  @Flag(help: "Print what would be done and stop.")
  var dryRun = false

  @OptionGroup(title: "Machine") var machine: MachineOptions

  private static let maxImages = 200

  func validate() throws {
    let options: [Any?] = [seeds, prior.prior, temperature.temperature, classIndex, conditionImage]
    guard images.isEmpty || options.allSatisfy({ $0 == nil }) else {
      throw ValidationError(
        "--seeds, --prior, --temperature, --class and --condition-image are for generated images, not for --images")
    }
    guard max(seeds?.seeds.count ?? 0, images.count) <= Self.maxImages else {
      throw ValidationError("there are more than \(Self.maxImages) images to find neighbours of; use several commands")
    }
  }

  func run() throws {
    let device = try machine.start()
    let model = images.isEmpty ? try network.load(device: device) : nil
    try model?.check(classIndex: classIndex)
    let condition = try model?.conditionImage(conditionImage, device: device)
    let dataset = try load(device)
    try model?.configuration.check(dataset, path: data ?? dataset.name, as: .reconstructing)
    let distance = try measure.prepare(forImagesOf: dataset.imageShape, device: device)
    let url = URL(fileURLWithPath: outdir)
    if dryRun {
      Terminal.print(
        "would search \(counted(dataset.count, "image")) of \(dataset.name) by \(distance.measure.rawValue) for the nearest "
          + "to \(counted(images.isEmpty ? chosenSeeds.count : images.count, "image")), into \(url.path) on \(device)")
      return
    }
    let folder = try OutputFolder(
      url, for: identity, files: ["neighbours.png", "neighbours.json"], overwrites: overwrite)
    StopSignal.listen("stopping; Ctrl-C again after 3 seconds stops at once")
    let queries = try makeQueries(model, condition, shape: dataset.imageShape, device)
    let source = try TrainingImages(dataset, device: device)
    var progress = ProgressLine(total: dataset.count, unit: "images")
    defer { progress.clear() }
    let found = try NeighbourSearch(in: source, of: queries.images, nearest: nearest, features: distance.features)
      .neighbours(shouldContinue: StopSignal.shouldContinue) { progress.show($0) }
    progress.clear()
    let report = try NeighbourReport(queries, found, in: dataset, source, distance)
    try report.write(to: folder, zoom: max(1, 64 / dataset.side))
    Terminal.print(report.summary)
    for name in ["neighbours.png", "neighbours.json"] { Terminal.print(folder.file(name).path) }
  }

  private var chosenSeeds: [UInt64] {
    var distinct: Set<UInt64> = []
    return (seeds?.seeds ?? Array(0...7)).filter { distinct.insert($0).inserted }
  }

  private func load(_ device: Device) throws -> ImageDataset {
    var progress: ProgressLine?
    defer { progress?.clear() }
    let dataset = try TrainingOptions.loadImages(data, resize: resize ?? TrainingDefaults.resize) { done, total in
      if progress == nil { progress = ProgressLine(total: total, unit: "images") }
      progress!.show(done, "reading")
    }
    Terminal.printNotes(dataset.notes)
    return dataset
  }

  /// The images to find neighbours of, as 8-bit pixels.
  private func makeQueries(
    _ model: Model?, _ condition: Tensor?, shape: [Int], _ device: Device
  ) throws -> NeighbourReport.Queries {
    guard let model else {
      let pictures = try images.map { try PNG.read(URL(fileURLWithPath: $0), fittedTo: shape).tensor() }
      return .init(images: try .concatenate(pictures).to(device), names: images, entries: [])
    }
    let seeds = chosenSeeds
    let entries = try CodeList(
      seeds: seeds, of: model.network, prior: prior.load(for: network, model), temperature: temperature,
      classIndex: classIndex
    ).entries
    var parts: [Tensor] = []
    try DrawingJob(
      entries, by: model.network, conditionImage: condition, precision: machine.precision ?? .float32
    ).run(shouldContinue: StopSignal.shouldContinue) { parts.append(try $1.written()) }
    return .init(images: try .concatenate(parts), names: seeds.map { "seed \($0)" }, entries: entries)
  }

  /// Identifies the job by all that determines its outputs.
  private var identity: OutputFolder.Job {
    .init(
      command: "neighbours",
      options: [
        "network": images.isEmpty ? network.identity : "",
        "prior": images.isEmpty ? prior.url(for: network).map { FileIdentity.text(of: $0) } ?? "" : "",
        "temperature": "\(temperature.value)", "data": data ?? "",
        "resize": (resize ?? TrainingDefaults.resize).rawValue, "images": images.joined(separator: "\n"),
        "seeds": chosenSeeds.map(String.init).joined(separator: ","), "class": classIndex.map(String.init) ?? "",
        "conditionImage": conditionImage ?? "", "measure": measure.identity, "nearest": "\(nearest)",
        "precision": (machine.precision ?? .float32).rawValue,
      ])
  }
}
