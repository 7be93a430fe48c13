import ArgumentParser
import DDN
import DDNFigures
import DDNFiles
import DDNGuidance
import DDNTraining
import Foundation
import Torch

struct GuideFigure: ParsableCommand {
  /// What a figure shows.
  enum Kind: String, CaseIterable, ExpressibleByArgument {
    case tasks, classes, texts, mixtures
  }

  static let configuration = CommandConfiguration(
    commandName: "figure",
    abstract: "Draw a figure: all tasks by column, a class or a text by column, mixtures of two guides.",
    discussion: """
      tasks     a row per target, the paper's Figure 2: reconstruction, super-resolution, denoising, inpainting and so on; \
      more columns with --guide
      classes   a column per class, guided by a classifier, as the paper's Figure 7
      texts     a column per --text, guided by CLIP, as the paper's Figure 9
      mixtures  two guides, from the first alone to the second alone, as the paper's Figure 10

      Examples:
        ddn guide figure tasks --network cifar10 --data cifar10-test.zip --out tasks.png
        ddn guide figure classes --rows 10 --out classes.png
        ddn guide figure texts --text "a face with glasses" --text "a smile" --weights clip/ --network faces64
        ddn guide figure mixtures --guide mask:top --guide class:3 --out mixtures.png
      """)

  @Argument(help: "tasks, classes, texts or mixtures.")
  var kind: Kind

  @OptionGroup var network: NetworkOption

  @Option(
    name: .customLong("guide"),
    help: .init("Another column of tasks; the two guides of mixtures.", valueName: "name:value,option=value"))
  var guides: [String] = []

  @Option(name: .customLong("text"), help: "A column of texts.")
  var texts: [String] = []

  @Option(help: "CLIP's weights, for texts.", completion: .file())
  var weights: String?

  @Option(help: "Classifier of the guide class, for classes. (default: the shipped one that fits the network)")
  var classifier: String?

  @Option(
    name: .customLong("image"), parsing: .upToNextOption, help: "Target image files.", completion: .file())
  var images: [String] = []

  @Option(
    help: "Targets: zip file, tar archive or folder of images. (default: shipped test digits)", completion: .file())
  var data: String?

  @Option(parsing: .unconditional, help: "Rows. (default: 8)", transform: wholeNumber(in: 1...100))
  var rows = 8

  @Option(
    parsing: .unconditional, help: "Paths kept from level to level. (default: 1)", transform: wholeNumber(in: 1...256))
  var beams = 1

  @Option(help: "PNG file. (default: KIND.png)")
  var out: String?

  @Flag(help: "Overwrite the file.")
  var overwrite = false

  @OptionGroup(title: "Machine") var machine: MachineOptions

  func validate() throws {
    let given = [
      ("--guide", !guides.isEmpty, [Kind.tasks, .mixtures]), ("--text", !texts.isEmpty, [.texts]),
      ("--weights", weights != nil, [.texts]), ("--classifier", classifier != nil, [.classes]),
    ]
    if let (name, _, kinds) = given.first(where: { $0.1 && !$0.2.contains(kind) }) {
      throw ValidationError(
        "\(name) is for \(kinds.map(\.rawValue).joined(separator: " and ")), not for \(kind.rawValue)")
    }
  }

  func run() throws {
    let path = out ?? "\(kind.rawValue).png"
    try checkOutput(path, overwrites: overwrite)
    let device = try machine.start()
    let model = try network.load(device: device)
    let columns = try columns(of: model)
    let figure = try GuidedFigure(columns, by: model.network)
    var (targets, classes, count): (Tensor?, [Int]?, Int) = (nil, nil, rows)
    if figure.needsTargets {
      let source = try TargetImages(
        images, data: data, resize: nil, count: nil, defaultCount: rows, of: model, device: device)
      let read = try source.source.images(in: 0..<min(rows, source.count))
      (targets, classes, count) = (read.images, try read.classes?.array(Int.self), read.images.shape[0])
    }
    StopSignal.listen("stopping; Ctrl-C again after 3 seconds stops at once")
    var progress = ProgressLine(total: columns.count, unit: "columns")
    let picture = try stoppable(while: StopSignal.shouldContinue) {
      try figure.draw(targets: targets, classes: classes, rows: count, beams: beams) { done in
        guard StopSignal.shouldContinue() else { throw JobStopped() }
        progress.show(done)
      }
    }
    progress.clear()
    try picture.write(to: URL(fileURLWithPath: path))
    Terminal.print(path)
  }

  private func columns(of model: Model) throws -> [GuidedFigure.Column] {
    switch kind {
    case .tasks:
      return GuidedFigure.tasks(imageShape: model.network.imageShape)
        + guides.map { GuidedFigure.Column($0, guides: [$0]) }
    case .classes:
      let option = classifier.map { ",classifier=\($0)" } ?? ""
      let classes = try ClassGuide.classNames(
        of: classifier, for: .init(imageShape: model.network.imageShape, device: model.network.device))
      return classes.enumerated().map { .init($1, guides: ["class:\($0)\(option)"]) }
    case .texts:
      guard let weights, !texts.isEmpty else {
        throw UsageError("texts needs --text and --weights, a folder of CLIP's")
      }
      return texts.map { .init($0, guides: ["clip:\($0),weights=\(weights)"]) }
    case .mixtures:
      guard guides.count == 2 else { throw UsageError("mixtures needs --guide twice") }
      return GuidedFigure.mixtures(guides[0], guides[1])
    }
  }
}
