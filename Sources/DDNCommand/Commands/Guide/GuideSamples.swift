import ArgumentParser
import DDN
import DDNData
import DDNFigures
import DDNFiles
import DDNGuidance
import DDNPictures
import DDNTraining
import Foundation
import Images
import Torch

/// `ddn guide`: guided samples, or with `--evaluate` a table.
struct GuideSamples: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "samples",
    abstract: "Generate guided images, or measure guides (the default).",
    discussion: """
      Several guides are combined by their ranks; weight=, mask=, from=, until= and image= are options of each, as in \
      --guide sr:4,weight=2. ddn guide list describes the guides.

      Writes images/, a data set with the classes that a guide asks for; conditions/, what the guides know of each \
      target; guided.png with targets, conditions and samples; codes.txt; and guide.json with every score. A seed gives \
      the same image for any batch size.
      """)

  @OptionGroup var network: NetworkOption

  @Option(
    name: .customLong("guide"),
    help: .init(
      "A guide; may be given several times. With --evaluate each is a row.", valueName: "name:value,option=value"),
    completion: .list(GuideKind.all.map(\.example)))
  var guides: [String] = []

  @Option(
    name: .customLong("image"), parsing: .upToNextOption,
    help: "Target image files, of any size and format; center-cropped and resized.", completion: .file())
  var images: [String] = []

  @Option(
    help: "Targets: zip file, tar archive or folder of images; the test split of MNIST and CIFAR.", completion: .file())
  var data: String?

  @Option(help: "Resizing of 28x28 digits to 32x32: bilinear or padded. (default: \(TrainingDefaults.resize.rawValue))")
  var resize: DigitDataset.Resize?

  @Option(
    parsing: .unconditional,
    help: "Number of targets of the data set, from the first. (default: \(defaultCount); with --evaluate 100)",
    transform: wholeNumber(in: 1...10_000_000))
  var count: Int?

  @Option(
    parsing: .unconditional,
    help: "Samples of each target, with seeds from 0. (default: 4; without targets, or for one, 12)",
    transform: wholeNumber(in: 1...1_000_000))
  var samples: Int?

  @Option(
    help: "Seeds of each target's samples, such as 0-11 or 1,2,5-10, instead of --samples.",
    transform: SeedList.init(parsing:))
  var seeds: SeedList?

  @Option(
    help: """
      Each level chooses among so many of the best candidates: a number, or a fraction of K such as 0.1. More make samples \
      diverse, 1 makes them fit best. (default: the guide's, 2 for most)
      """, transform: topCount)
  var topK: TopCount?

  @Option(help: "How several guides are combined: by ranks or by standardized scores.")
  var combine: GuideCombination = .ranks

  @Option(
    parsing: .unconditional, help: "Paths kept from level to level; more fit better and take longer. (default: 1)",
    transform: wholeNumber(in: 1...4096))
  var beams = 1

  @Option(
    parsing: .unconditional, help: "Images drawn for each sample, of which the guides choose the best. (default: 1)",
    transform: wholeNumber(in: 1...4096))
  var candidates = 1

  @Option(
    name: .customLong("class"), parsing: .unconditional,
    help: "Class of all images, for a class-conditional model. (default: the guide's, the target's, or by seed)",
    transform: wholeNumber(atLeast: 0))
  var classIndex: Int?

  @Option(
    help: "The image to condition on, for a model trained with --condition. (default: the target)", completion: .file())
  var conditionImage: String?

  @Flag(help: "Also draw levels.png, the samples level by level.")
  var levels = false

  @Flag(help: "Measure the restoration of targets from each guide, and write evaluation.json and evaluation.md.")
  var evaluate = false

  @Option(help: "Folder for all outputs. (default: guided; with --evaluate guided-evaluation)")
  var outdir: String?

  @Flag(help: "Overwrite the folder's outputs; other files stay.")
  var overwrite = false

  @Option(
    parsing: .unconditional,
    help: "Images per batch, paths and candidates included. (default: \(GuidedJob.defaultBatch))",
    transform: wholeNumber(in: 1...1_000_000))
  var batch = GuidedJob.defaultBatch

  @Flag(name: [.customShort("n"), .long], help: "Print what would be done and stop.")
  var dryRun = false

  @OptionGroup(title: "Machine") var machine: MachineOptions

  static let defaultCount = 8

  func validate() throws {
    if !images.isEmpty, data != nil || resize != nil || count != nil {
      throw ValidationError("--data, --resize and --count are for data sets, not for image files")
    }
    if seeds != nil, samples != nil { throw ValidationError("--seeds and --samples exclude each other; remove one") }
    guard evaluate else { return }
    if levels { throw ValidationError("--levels draws samples, which --evaluate does not; remove one") }
    if combine != .ranks {
      throw ValidationError("--combine is for several guides at once, and --evaluate takes each alone; remove one")
    }
    if conditionImage != nil {
      throw ValidationError("--condition-image is for samples; --evaluate conditions on each target")
    }
  }

  func run() throws {
    guard evaluate || !guides.isEmpty else {
      throw UsageError("give a guide, such as --guide sr:4; ddn guide list describes all")
    }
    let (shared, device) = try dryRun ? (SharedJob(group: nil), machine.start()) : machine.startShared()
    let model = try network.load(device: device)
    try model.check(classIndex: classIndex)
    if evaluate { return try GuideEvaluator(options: self, model: model, device: device, shared: shared).run() }
    let mix = try MixedGuide(
      guides, combination: combine, for: .init(imageShape: model.network.imageShape, device: device),
      levels: model.network.codeSpace.levels.count)
    let targets = try loadTargets(model, needed: mix.needsTargets, device: device)
    let job = GuidedJob(
      GuidedSampler(model.network, guide: mix, top: topK, beams: beams, attempts: candidates),
      targets: targets?.source, targetCount: targets?.count, seeds: chosenSeeds(targets?.count ?? 1),
      classIndex: classIndex,
      conditionImage: try model.conditionImage(conditionImage, isOptional: targets != nil, device: device),
      precision: machine.precision ?? .float32, keepsLevels: levels, batchSize: batch)
    let url = URL(fileURLWithPath: outdir ?? "guided")
    let writer = GuidedOutput(
      mix: mix, job: job, targets: targets, imageShape: model.network.imageShape, drawsLevels: levels, folder: url,
      shared: shared)
    if dryRun {
      Terminal.print(
        "would draw \(counted(job.count, "image")) with \(network.url.path), guided by \(guides.joined(separator: " and ")), "
          + "into \(url.path) on \(device)")
      return
    }
    _ = try shared.first {
      try OutputFolder(url, for: identity, files: writer.files, overwrites: overwrite).isContinued
    }
    try writer.write(network: network.network, options: self)
  }

  func chosenSeeds(_ targets: Int) -> [UInt64] {
    guard let seeds else { return (0..<(samples ?? (targets > 1 || evaluate ? 4 : 12))).map { UInt64($0) } }
    var distinct: Set<UInt64> = []
    return seeds.seeds.filter { distinct.insert($0).inserted }
  }

  /// Identifies the job by all that determines its outputs.
  var identity: OutputFolder.Job {
    func files(_ paths: [String]) -> String {
      paths.map { FileIdentity.text(of: URL(fileURLWithPath: $0)) }.joined(separator: "\n")
    }
    // Of a guide's words those that are files, such as mask:hole.png.
    let guideFiles = guides.flatMap { $0.split { ":,=".contains($0) }.map(String.init) }
      .filter { path in
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
      }
    return .init(
      command: "guide",
      options: [
        "network": network.identity, "guides": guides.joined(separator: "\n"), "guideFiles": files(guideFiles),
        "combine": combine.rawValue, "images": files(images), "data": files(data.map { [$0] } ?? []),
        "count": count.map(String.init) ?? "",
        "resize": (resize ?? TrainingDefaults.resize).rawValue,
        "seeds": chosenSeeds(2).map(String.init).joined(separator: ","), "top": topK?.description ?? "",
        "beams": "\(beams)", "candidates": "\(candidates)", "class": classIndex.map(String.init) ?? "",
        "conditionImage": files(conditionImage.map { [$0] } ?? []), "levels": "\(levels)", "evaluate": "\(evaluate)",
        "precision": (machine.precision ?? .float32).rawValue,
      ])
  }

  /// The targets; nil when none is given and the guides need none.
  private func loadTargets(_ model: Model, needed: Bool, device: Device) throws -> TargetImages? {
    guard needed || !images.isEmpty || data != nil || count != nil else { return nil }
    if images.isEmpty, data == nil, model.network.imageShape != [1, 32, 32] {
      throw UsageError("--guide \(guides[0]): this guide needs a target; give --image or --data")
    }
    return try TargetImages(
      images, data: data, resize: resize, count: count, defaultCount: Self.defaultCount, of: model, device: device)
  }
}

extension GuideCombination: ExpressibleByArgument {}

@Sendable private func topCount(_ text: String) throws -> TopCount {
  guard let count = TopCount(text) else {
    throw ValidationError("'\(text)' is neither a number of candidates, such as 2, nor a fraction, such as 0.1")
  }
  return count
}
