import ArgumentParser
import DDN
import DDNData
import DDNFiles
import DDNPictures
import DDNTraining
import DDNTrees
import Foundation
import Torch

struct TreeClassify: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "classify",
    abstract: "Read the labels of test images off the tree: the paper's Table 3.",
    discussion: """
      Labelled images vote at every node of their code's path. Prints how many percent of the test images are read \
      right, for each number of labelled images:

      votes       the paper's rule: the majority at the deepest node of the test image's path that has votes; ties are \
      broken by its ancestors, the nearest first, then by the lowest label
      smoothed    a node's votes and its parent's probabilities together; the parent's weight is the likeliest for \
      labelled images, each judged by the others
      neighbours  votes of all labelled codes, weighted by the distance of their decoded images; the width of the \
      weights is chosen on labelled images

      Up to 10,000 labelled images are drawn at random, several times: mean and standard deviation. More are the first \
      images.

      Examples:
        ddn tree classify --network mnist-k8-l3
        ddn tree classify --network mnist-k8-l3 --data mnist --baseline
        ddn tree classify --data mnist --labels 128,1024 --draws 20
      """)

  @OptionGroup var network: NetworkOption

  @Option(help: "Images with labels. (default: 9000 shipped digits)", completion: .file())
  var data: String?

  @Option(
    help: "Test images with labels. (default: the test split of MNIST and CIFAR, or 1000 other shipped digits)",
    completion: .file())
  var testData: String?

  @Option(help: "Resizing of 28x28 digits to 32x32: bilinear or padded. (default: \(TrainingDefaults.resize.rawValue))")
  var resize: DigitDataset.Resize?

  @Option(
    help: .init(
      "Numbers of labelled images. (default: those of 128, 1024, 10000 and 50000 that there are)",
      valueName: "number,number"), transform: LabelNumbers.init(parsing:))
  var labels: LabelNumbers?

  @Option(
    parsing: .unconditional, help: "Random choices of labelled images. (default: 5)",
    transform: wholeNumber(in: 1...1000))
  var draws = 5

  @Option(
    help: .init("Rules. (default: votes,smoothed,neighbours)", valueName: "rule,rule"), transform: Rules.init(parsing:))
  var rules: Rules?

  @Flag(help: "Also fit a tree of k-means clusters of pixels, with as many nodes and levels.")
  var baseline = false

  @Option(
    parsing: .unconditional,
    help: "Paths that the search for an image's code keeps; the paper's rule is 1. (default: 1)",
    transform: wholeNumber(in: 1...4096))
  var beams = 1

  @Option(help: "Folder for codes.txt and test-codes.txt. (default: no files)")
  var outdir: String?

  @Flag(help: "Overwrite the folder's outputs; other files stay.")
  var overwrite = false

  @Option(
    parsing: .unconditional, help: "Images per batch. (default: \(EncodingJob.defaultBatch), fewer with beams)",
    transform: wholeNumber(in: 1...1_000_000))
  var batch: Int?

  @OptionGroup(title: "Machine") var machine: MachineOptions

  func run() throws {
    let device = try machine.start()
    let model = try network.load(device: device)
    guard model.network.conditions.isEmpty else {
      throw UsageError(
        "--network \(network.network): this model is conditioned on the class or an image, which would tell")
    }
    let resize = resize ?? TrainingDefaults.resize
    if data == nil, testData != nil { throw UsageError("--test-data needs --data, the images with labels") }
    let training = try ClassifiedImages(data, split: .train, resize: resize, cacheBytes: 0).images
    let tests = try ClassifiedImages(testData ?? data, split: .test, resize: resize, cacheBytes: 0).images
    try model.configuration.check(training, path: data ?? training.name, as: .reconstructing)
    try model.configuration.check(tests, path: testData ?? data ?? tests.name, as: .reconstructing)
    let numbers = try labels?.checked(training.count) ?? LabelNumbers.usual(training.count)
    let folder = try outdir.map { path in
      try OutputFolder(
        URL(fileURLWithPath: path), for: .init(command: "tree classify", options: identity),
        files: Self.codeFiles, overwrites: overwrite)
    }

    StopSignal.listen("stopping; Ctrl-C again after 3 seconds stops at once")
    let rules = self.rules?.rules ?? LabelExperiment.Rule.allCases
    let keepsImages = rules.contains(.neighbours)
    var search = CodeSearch()
    search.beams = beams
    let encoder = Encoder(
      network: model.network, search: search, precision: machine.precision ?? .float32,
      batch: batch ?? max(EncodingJob.defaultBatch / beams, 1))
    let sides = try [training, tests].map { try encoder.encode($0, keepsImages: keepsImages) }
    if let folder {
      for (name, side) in zip(Self.codeFiles, sides) {
        let lines = (0..<side.images.codes.count).map {
          CodeList.line(name: String($0), side.images.codes.entry($0).code, classIndex: nil) + "\n"
        }
        try AtomicFile.write(Data(lines.joined().utf8), to: folder.file(name))
      }
    }
    Terminal.print(
      "\(counted(training.count, "image")) of \(training.name), \(tests.count) test images, "
        + "error by level \(sides[1].errors.map { formatNumber($0) }.joined(separator: " "))")
    let experiment = LabelExperiment(training: sides[0].images, tests: sides[1].images, draws: draws)
    printHeader(numbers)
    for rule in rules { try print(rule.rawValue, rule, experiment, numbers) }
    if baseline { try printBaseline(model.network.codeSpace, training, tests, numbers, rules) }
  }

  /// What the codes depend on.
  private var identity: [String: String] {
    [
      "network": network.identity, "data": data ?? "", "testData": testData ?? "",
      "resize": (resize ?? TrainingDefaults.resize).rawValue, "precision": (machine.precision ?? .float32).rawValue,
      "beams": String(beams),
    ]
  }

  private static let codeFiles = ["codes.txt", "test-codes.txt"]

  private func printBaseline(
    _ space: CodeSpace, _ training: ImageDataset, _ tests: ImageDataset, _ numbers: [Int],
    _ rules: [LabelExperiment.Rule]
  ) throws {
    var progress = ProgressLine.ofShare()
    let tree = try PixelTree(space, training: Self.pixels(of: training), tests: Self.pixels(of: tests)) { share in
      progress.show(Int(share * 1000), "k-means")
      return StopSignal.shouldContinue()
    }
    progress.clear()
    Terminal.print(
      "tree of k-means clusters of pixels, error by level "
        + tree.tests.errors.map { formatNumber($0) }.joined(separator: " "))
    let experiment = LabelExperiment(
      training: .init(codes: tree.training.codes, labels: training.labels!),
      tests: .init(codes: tree.tests.codes, labels: tests.labels!), draws: draws)
    for rule in rules where rule != .neighbours { try print("k-means, \(rule.rawValue)", rule, experiment, numbers) }
  }

  /// `[N, D]` in [-1, 1].
  private static func pixels(of images: ImageDataset) throws -> Tensor {
    let width = images.imageShape.reduce(1, *)
    return try Tensor(images.pixels(of: Array(0..<images.count)), shape: [images.count, width]).unitRange()
  }

  private func printHeader(_ numbers: [Int]) {
    Terminal.print("labelled".leftAligned(20) + numbers.map { "\($0)".rightAligned(13) }.joined())
  }

  private func print(
    _ name: String, _ rule: LabelExperiment.Rule, _ experiment: LabelExperiment, _ numbers: [Int]
  ) throws {
    let cells = try numbers.map { number in
      Terminal.showLive("\(name), \(number) labelled images")
      let accuracy = try experiment.accuracy(labelled: number, rule: rule, shouldContinue: StopSignal.shouldContinue)
      let mean = formatNumber(accuracy.mean * 100, digits: 1)
      return accuracy.deviation.map { "\(mean) ± \(formatNumber($0 * 100, digits: 1))" } ?? mean
    }
    Terminal.showLive("")
    Terminal.print(name.leftAligned(20) + cells.map { $0.rightAligned(13) }.joined())
  }

  /// Encodes images with a progress line.
  private struct Encoder {
    let network: any DiscreteDistributionNetwork
    let search: CodeSearch
    let precision: Precision
    let batch: Int

    func encode(
      _ images: ImageDataset, keepsImages: Bool
    ) throws -> (images: LabelExperiment.Images, errors: [Double]) {
      var codes = PathTable(network.codeSpace)
      var errors = [Double](repeating: 0, count: network.codeSpace.levels.count)
      var decoded: [Tensor] = []
      var progress = ProgressLine(total: images.count, unit: "images")
      defer { progress.clear() }
      let job = EncodingJob(
        try TrainingImages(images, device: network.device), by: network, search: search, precision: precision,
        batchSize: batch)
      try job.run(shouldContinue: StopSignal.shouldContinue) { range, result in
        for code in result.reconstruction.codes { try codes.append(code) }
        for level in errors.indices { errors[level] += result.reconstruction.errors[level].reduce(0, +) }
        if keepsImages {
          decoded.append(try NeighbourClassifier.pixels(of: result.reconstruction.levels.last!).to(.cpu))
        }
        progress.show(range.upperBound, "encoding")
      }
      let all = keepsImages ? try Tensor.concatenate(decoded) : nil
      return (
        .init(codes: codes, labels: images.labels!, decoded: all), errors.map { $0 / Double(images.count) }
      )
    }
  }
}

/// Comma-separated numbers of labelled images.
struct LabelNumbers {
  let numbers: [Int]

  @Sendable init(parsing text: String) throws {
    numbers = try text.split(separator: ",", omittingEmptySubsequences: false).map {
      try wholeNumber(atLeast: 1)(String($0))
    }
  }

  /// - Throws: `UsageError` for more labelled images than there are.
  func checked(_ count: Int) throws -> [Int] {
    if let number = numbers.first(where: { $0 > count }) {
      throw UsageError("--labels \(number): there are \(counted(count, "labelled image"))")
    }
    return numbers
  }

  /// The paper's numbers, or all images if they are fewer than the first.
  static func usual(_ count: Int) -> [Int] {
    let numbers = [128, 1024, 10_000, 50_000].filter { $0 <= count }
    return numbers.isEmpty ? [count] : numbers
  }
}

/// Comma-separated rules.
struct Rules {
  let rules: [LabelExperiment.Rule]

  @Sendable init(parsing text: String) throws {
    rules = try text.split(separator: ",", omittingEmptySubsequences: false).map { name in
      guard let rule = LabelExperiment.Rule(rawValue: String(name)) else {
        let names = LabelExperiment.Rule.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("'\(name)' is not a rule; rules are \(names)")
      }
      return rule
    }
  }
}

extension String {
  fileprivate func leftAligned(_ length: Int) -> String { self + String(repeating: " ", count: max(0, length - count)) }
  fileprivate func rightAligned(_ length: Int) -> String {
    String(repeating: " ", count: max(0, length - count)) + self
  }
}
