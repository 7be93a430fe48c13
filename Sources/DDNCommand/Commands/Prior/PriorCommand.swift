import ArgumentParser
import DDN
import DDNCodes
import DDNData
import DDNFiles
import DDNTraining
import Foundation
import Torch

struct PriorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prior",
    abstract: "Train and evaluate priors over codes, for better samples and smaller files.",
    discussion: """
      A prior predicts each choice of a code from the choices before it and the class. ddn generate draws codes from it, \
      which look more like the data than uniform ones, and ddn encode writes codes in fewer bits. It computes with \
      integers alone, so that files decode on every machine. A model's prior lies beside it, NAME.prior.safetensors, or \
      prior.safetensors in a run folder.
      """,
    subcommands: [TrainPrior.self, EvaluatePrior.self])
}

/// Where the codes that a prior learns or predicts come from.
struct CodeData: ParsableArguments {
  @Option(help: "Images to encode, in a format of ddn help dataset.")
  var data: String?

  @Option(help: .init("Their codes instead, as ddn encode and reconstruct write them.", valueName: "codes|file"))
  var codes: String?

  @Option(help: "Resizing of 28x28 digits to 32x32: bilinear or padded. (default: \(TrainingDefaults.resize.rawValue))")
  var resize: DigitDataset.Resize?

  @Option(
    parsing: .unconditional, help: "Number of images, from the first. (default: all)",
    transform: wholeNumber(atLeast: 1))
  var count: Int?

  func validate() throws {
    guard (data == nil) != (codes == nil) else {
      throw ValidationError("give images with --data, or codes with --codes")
    }
    guard codes == nil || count == nil && resize == nil else {
      throw ValidationError("--count and --resize are for --data")
    }
  }

  var path: String { data ?? codes ?? "" }

  /// Opens the images; nil for codes.
  func images(_ split: DatasetSplit) throws -> ImageDataset? {
    guard let data else { return nil }
    let source = try openImages(URL(fileURLWithPath: data), split: split, resize: resize ?? TrainingDefaults.resize)
    Terminal.printNotes(source.notes)
    let images = try ImageDataset(source, cacheBytes: 0)
    guard count ?? 1 <= images.count else {
      throw UsageError("--count \(count!): there are \(images.count) images in \(data)")
    }
    return images
  }

  /// The codes, read or encoded.
  ///
  /// - Parameters:
  ///   - images: of `images(_:)`.
  ///   - mirrors: whether to encode mirror images, too.
  ///   - model: encodes.
  ///   - prior: of the model; read when the codes are a file that was encoded with it.
  ///   - machine: precision.
  ///   - device: of the model.
  func table(
    of images: ImageDataset?, mirrors: Bool = false, by model: Model,
    prior: @autoclosure () throws -> (any CodePrior)? = nil, machine: MachineOptions, device: Device
  ) throws -> CodeTable {
    guard let images else {
      let input = try CodeInput(codes ?? "")
      let usesPrior = try input.header?.usesPrior == true
      let entries = try input.entries(of: model, prior: usesPrior ? prior() : nil, allowsPrefix: false)
      return try CodeTable(entries, in: model.network.codeSpace)
    }
    return try CodeTable(
      encoding: images, path: path, count: count, mirrors: mirrors, by: model, machine: machine, device: device)
  }
}

extension CodeTable {
  /// Encodes images with a progress line.
  ///
  /// - Parameters:
  ///   - images: of the model's shape.
  ///   - path: for messages.
  ///   - count: of images, from the first; nil for all.
  ///   - mirrors: whether to encode mirror images, too.
  ///   - model: encodes.
  ///   - machine: precision.
  ///   - device: of the model.
  /// - Throws: `JobStopped` when the user stops it; `FileError`; `TorchError`.
  init(
    encoding images: ImageDataset, path: String, count: Int? = nil, mirrors: Bool = false, by model: Model,
    machine: MachineOptions, device: Device
  ) throws {
    try model.configuration.check(images, path: path, as: .reconstructing)
    let job = EncodingJob(
      try TrainingImages(images, xflip: mirrors, device: device), count: mirrors ? nil : count, by: model.network,
      precision: machine.precision ?? .float32)
    var progress = ProgressLine(total: job.count, unit: "images")
    defer { progress.clear() }
    var entries: [CodeList.Entry] = []
    try job.run(shouldContinue: StopSignal.shouldContinue) { range, batch in
      for (place, code) in batch.reconstruction.codes.enumerated() {
        entries.append(.init(code: code, classIndex: batch.classes?[place]))
      }
      progress.show(range.upperBound, "encoding")
    }
    try self.init(entries, in: model.network.codeSpace)
  }
}

/// Bits of codes by level, beside those of uniform choices.
struct BitsTable {
  private let space: CodeSpace
  /// `[L]`.
  private let bits: [Double]

  /// - Parameter bits: `[L]`, of each choice.
  init(_ bits: [Double], of space: CodeSpace) {
    self.space = space
    self.bits = bits
  }

  /// A line per level.
  var levelLines: [String] {
    bits.indices.map { level in
      "level \(level + 1)  \(formatNumber(bits[level], digits: 2)) of \(formatNumber(space.levels[level].bits, digits: 2)) bits"
    }
  }

  var summary: String {
    let total = bits.reduce(0, +)
    return "\(formatNumber(total, digits: 2)) of \(formatNumber(space.bits, digits: 2)) bits a code, "
      + "\(formatNumber(total / max(space.bits, 1e-9) * 100, digits: 1)) %"
  }
}
