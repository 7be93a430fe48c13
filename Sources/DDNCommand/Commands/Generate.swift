import ArgumentParser
import DDN
import DDNCodes
import DDNFiles
import Foundation
import Torch

struct Generate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Generate images.",
    discussion: """
      Each seed determines a code, the same on any machine, and the code an image, for any batch size. Codes are drawn \
      from the model's prior if there is one; uniform ones, the original's, with --prior none. Writes images/, \
      a data set with dataset.json; codes.txt, a line per image with name, code and, for a class-conditional model, \
      class; and for 9 images or more samples.png, a grid of the first 100, in columns by class, and examples.zip, an \
      archive of them.

      A folder with other files is refused without --overwrite. The same command resumes an interrupted one.

      Examples:
        ddn generate --seeds 0-99
        ddn generate --network runs/00000-mnist --seeds 0-999 --outdir samples --subdirs
        ddn generate --network cifar10 --class 3
        ddn generate --prior none
        ddn generate --temperature 0.8
        ddn generate --seeds 0-49999 --fid-ref cifar10.npz --detector inception.safetensors
        ddn generate --network runs/00002-faces --condition-image me.jpg --seeds 0-15

      To draw the images of given codes: ddn decode
      """)

  @OptionGroup var network: NetworkOption

  @Option(help: "Folder for images/, codes.txt, samples.png and examples.zip.")
  var outdir = "generated"

  @Flag(help: "Overwrite the folder's outputs; other files stay.")
  var overwrite = false

  @Option(help: "Seeds, one image each, such as 0-99 or 1,2,5-10. (default: 0-99)", transform: SeedList.init(parsing:))
  var seeds: SeedList?

  @OptionGroup var prior: PriorOption

  @OptionGroup var temperature: TemperatureOption

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

  @OptionGroup(title: "Evaluation") var evaluation: GeneratedDistance

  @OptionGroup(title: "Machine") var machine: MachineOptions

  func run() throws {
    let (shared, device) = try dryRun ? (SharedJob(group: nil), machine.prepare()) : machine.startShared()
    let model = try network.load(device: device)
    try model.check(classIndex: classIndex)
    let images = DrawnImages(
      command: "generate", jobs: try jobs(model), network: network, model: model, conditionImage: conditionImage,
      outdir: outdir, overwrites: overwrite, hasSubfolders: subdirs, precision: machine.precision ?? .float32,
      batch: batch, shared: shared)
    _ = try model.conditionImage(conditionImage, device: device)
    if dryRun {
      try evaluation.check(device)
      return images.describe(on: device)
    }
    // Seeds cycle through the classes, so every column is one class.
    let classes = model.network.classes
    let columns = (2...20).contains(classes) && classIndex == nil ? max(10 / classes, 1) * classes : nil
    let judge = try evaluation.open(device, shared)
    try images.write(columns: columns, device: device)
    try judge?(images: outdir + "/images", precision: machine.precision ?? .float32, device: device)
    try shared.finish()
  }

  private func jobs(_ model: Model) throws -> [DrawnImages.Job] {
    let all = (self.seeds ?? .default).seeds
    var distinct: Set<UInt64> = []
    let seeds = all.filter { distinct.insert($0).inserted }
    if seeds.count < all.count {
      Terminal.printError("note: --seeds repeats \(counted(all.count - seeds.count, "seed")); each is drawn once")
    }
    let drawn = try CodeList(
      seeds: seeds, of: model.network, prior: prior.load(for: network, model), temperature: temperature,
      classIndex: classIndex)
    return zip(seeds, drawn.entries).map { DrawnImages.Job(number: Int($0), entry: $1) }
  }
}
