import ArgumentParser
import DDN
import DDNCodes
import DDNData
import DDNFiles
import DDNTraining
import Foundation
import Torch

/// `ddn encode --evaluate`.
struct EvaluationOptions: ParsableArguments {
  @Flag(help: "Measure rate and distortion instead of writing codes.")
  var evaluate = false

  @Option(
    help: """
      Images that PCA and k-means are fitted to, at most 20000, from the first; the training split of MNIST and CIFAR. \
      (default: 9000 shipped digits without --data; otherwise neither is measured)
      """, completion: .file())
  var trainData: String?

  @Option(help: "Folder for the evaluation. (default: evaluation)")
  var outdir: String?

  @Flag(help: "Leave out picture files.")
  var noPictures = false

  func validate() throws {
    if !evaluate, trainData != nil || outdir != nil || noPictures {
      throw ValidationError("--train-data, --outdir and --no-pictures are for --evaluate")
    }
  }

  /// - Throws: `FileError`; `UsageError`; what the evaluation throws.
  func run(
    _ targets: TargetImages, _ search: CodeSearch, _ model: Model, _ prior: IntegerPrior?, identity: [String: String],
    precision: Precision,
    batchSize: Int, overwrites: Bool, dryRun: Bool, device: Device
  ) throws {
    let url = URL(fileURLWithPath: outdir ?? "evaluation")
    if dryRun {
      Terminal.print(
        "would measure rate and distortion of \(counted(targets.count, "image")), into \(url.path) on \(device)")
      return
    }
    let training = try loadTraining(model, hasData: !identity["data", default: ""].isEmpty, identity["resize"]!)
    let folder = try OutputFolder(
      url,
      for: .init(
        command: "encode --evaluate",
        options: identity.merging(["trainData": trainData ?? "", "pictures": "\(!noPictures)"]) { $1 }),
      files: EncodeEvaluator.files, overwrites: overwrites)
    let key = try CodeFile.Key(model, prior: prior)
    let space = model.network.codeSpace
    try EncodeEvaluator(
      model: model, test: targets.source, count: targets.count,
      training: training.map { try TrainingImages($0, device: device) }, folder: folder, hasPictures: !noPictures,
      search: search, precision: precision, batchSize: batchSize
    ) { codes, classes in
      let entries = codes.indices.map { CodeList.Entry(code: codes[$0], classIndex: classes?[$0]) }
      return try CodeFile.data(CodeTable(entries, in: space), key: key).count
    }.run()
  }

  private func loadTraining(_ model: Model, hasData: Bool, _ resize: String) throws -> ImageDataset? {
    guard trainData != nil || !hasData else { return nil }
    var progress: ProgressLine?
    defer { progress?.clear() }
    let dataset = try TrainingOptions.loadImages(trainData, resize: .init(rawValue: resize)!) { done, total in
      if progress == nil { progress = ProgressLine(total: total, unit: "images") }
      progress!.show(done, "reading")
    }
    try model.configuration.check(dataset, path: trainData ?? dataset.name, as: .reconstructing)
    return dataset
  }
}
