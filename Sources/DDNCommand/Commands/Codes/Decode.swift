import ArgumentParser
import DDN
import DDNCodes
import DDNFiles
import DDNModels
import Foundation
import Torch

struct Decode: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw the images of codes.",
    discussion: """
      Takes a .ddn file of ddn encode; a codes.txt, of any length, with a line per image of a name, a code and, for a \
      class-conditional model, a class; codes themselves, such as 3.0.7 or with a class 3.0.7:4, with commas between; \
      codes that the original program saved (ddn_latents_*.pt); or - for standard input. A .ddn file of a shipped model \
      needs no --network.

      A code may end after any level: the image is then its last level's, enlarged. The beginning of a .ddn file holds \
      the first levels; --partial draws what is there.

      Writes images/, a data set with dataset.json; codes.txt; and for 9 images or more samples.png, a grid of the first \
      100, and examples.zip, an archive of them. A folder with other files is refused without --overwrite. The same \
      command resumes an interrupted one.

      Examples:
        ddn decode faces.ddn
        ddn decode faces.ddn --levels 12                    as after the first 12 levels
        head -c 4000 faces.ddn | ddn decode - --partial
        ddn decode 3.0.7,3.0.6,3.0 --network mnist-k8-l3
        ddn decode reconstructed/codes.txt              of ddn reconstruct
      """)

  @Argument(help: .init("Codes to draw.", valueName: "file|codes|-"))
  var codes: String

  @Option(
    help: .init(
      """
      A shipped model (\(Model.shippedNames.joined(separator: ", "))), a .safetensors file, or a run folder. \
      (default: the shipped model that a .ddn file is of, else mnist)
      """, valueName: "name|file|folder"))
  var network: String?

  @OptionGroup var prior: PriorOption

  @Option(parsing: .unconditional, help: "Draw the first levels only.", transform: wholeNumber(atLeast: 1))
  var levels: Int?

  @Flag(help: "Draw what there is of a .ddn file whose end is missing.")
  var partial = false

  @Option(help: "Folder for images/, codes.txt, samples.png and examples.zip.")
  var outdir = "decoded"

  @Flag(help: "Overwrite the folder's outputs; other files stay.")
  var overwrite = false

  @Option(
    name: .customLong("class"), parsing: .unconditional,
    help: "Class of the codes that have none, for a class-conditional model.", transform: wholeNumber(atLeast: 0))
  var classIndex: Int?

  @Option(help: "The image to condition on, for a model trained with --condition.")
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
    let input = try CodeInput(codes)
    let (option, model) = try find(input, device: device)
    try model.check(classIndex: classIndex)
    let usesPrior = try input.header?.usesPrior == true
    guard usesPrior || prior.prior == nil || prior.prior == "none" else {
      throw UsageError("--prior is for a .ddn file that was encoded with one; \(input.name) was not")
    }
    let most = model.network.codeSpace.levels.count
    guard levels ?? 1 <= most else { throw UsageError("--levels \(levels!): this model has \(most)") }
    let entries = try entries(of: input, model, usesPrior ? prior.load(for: option, model) : nil)
    let images = DrawnImages(
      command: "decode", jobs: entries.enumerated().map { DrawnImages.Job(number: $0, entry: $1) }, network: option,
      model: model, conditionImage: conditionImage, outdir: outdir, overwrites: overwrite, hasSubfolders: subdirs,
      precision: machine.precision ?? .float32, batch: batch)
    _ = try model.conditionImage(conditionImage, device: device)
    if dryRun { return images.describe(on: device) }
    try images.write(columns: nil, device: device)
  }

  /// The model of the option, else the one that a file is of.
  private func find(_ input: CodeInput, device: Device) throws -> (NetworkOption, Model) {
    var option = NetworkOption()
    option.network = network ?? "mnist"
    guard let header = try input.header else { return (option, try option.load(device: device)) }
    if network != nil {
      let model = try option.load(device: device)
      if try !isOf(header, model, option), let (shipped, _) = try shippedModel(header, device: device) {
        throw UsageError("\(input.name) was encoded with \(shipped.network): give --network \(shipped.network)")
      }
      return (option, model)
    }
    guard let found = try shippedModel(header, device: device) else {
      throw UsageError(
        "\(input.name) is not of a shipped model\(header.usesPrior ? " with this prior" : ""): give the one that it was encoded "
          + "with, with --network\(header.usesPrior ? " and --prior" : "")")
    }
    return found
  }

  private func shippedModel(_ header: CodeFileHeader, device: Device) throws -> (NetworkOption, Model)? {
    var failure: FileError?
    for name in Model.shippedNames {
      var option = NetworkOption()
      option.network = name
      let model = try Model(contentsOf: Model.shippedURL(name), device: device)
      do {
        if try isOf(header, model, option) { return (option, model) }
      } catch let error as FileError where error.kind == .invalid {
        failure = error  // A prior that is given is of one model at most.
      }
    }
    if let failure, network == nil { throw failure }
    return nil
  }

  /// Whether a file is of a model, with the prior that belongs to it.
  private func isOf(_ header: CodeFileHeader, _ model: Model, _ option: NetworkOption) throws -> Bool {
    let prior = header.usesPrior ? try prior.load(for: option, model) : nil
    return try CodeFile.Key(model, prior: prior).fingerprint == header.fingerprint
  }

  private func entries(of input: CodeInput, _ model: Model, _ prior: IntegerPrior?) throws -> [CodeList.Entry] {
    let classes = model.network.classes
    return try input.entries(of: model, prior: prior, allowsPrefix: partial).enumerated().map { number, entry in
      let classIndex = entry.classIndex ?? classIndex
      guard classIndex != nil || classes == 0 else {
        throw UsageError(
          "\(input.name): code \(number + 1) has no class, but this model has classes; give --class 0...\(classes - 1)"
            + ", or append it to the code: 3.0.7:0")
      }
      return CodeList.Entry(code: levels.map { entry.code.prefix($0) } ?? entry.code, classIndex: classIndex)
    }
  }
}
