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

/// Images whose codes a prior learns or predicts.
struct EncodedImages {
  let images: ImageDataset
  let codes: CodeTable
  /// Errors of interrupted encoding are not possible: see `init`.
  let source: TrainingImages

  /// Encodes a data set with a progress line.
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
    _ images: ImageDataset, path: String, count: Int? = nil, mirrors: Bool = false, by model: Model,
    machine: MachineOptions, device: Device
  ) throws {
    try model.configuration.check(images, path: path, as: .reconstructing)
    guard count ?? 1 <= images.count else {
      throw UsageError("--count \(count!): there are \(images.count) images in \(path)")
    }
    self.images = images
    source = try TrainingImages(images, xflip: mirrors, device: device)
    let job = EncodingJob(source, count: count, by: model.network, precision: machine.precision ?? .float32)
    var progress = ProgressLine(total: job.count, unit: "images")
    defer { progress.clear() }
    var entries: [CodeList.Entry] = []
    try job.run(shouldContinue: StopSignal.shouldContinue) { range, batch in
      for (place, code) in batch.reconstruction.codes.enumerated() {
        entries.append(.init(code: code, classIndex: batch.classes?[place]))
      }
      progress.show(range.upperBound, "encoding")
    }
    codes = try CodeTable(entries, in: model.network.codeSpace)
  }

  /// Opens the images of a split.
  static func open(_ path: String, split: DatasetSplit, resize: DigitDataset.Resize?) throws -> ImageDataset {
    let source = try openImages(URL(fileURLWithPath: path), split: split, resize: resize ?? TrainingDefaults.resize)
    Terminal.printNotes(source.notes)
    return try ImageDataset(source, cacheBytes: 0)
  }
}

/// Bits of codes by level, beside those of uniform choices.
struct BitsTable {
  private let space: CodeSpace
  /// `[L]`.
  private let bits: [Double]

  /// - Parameter bits: `[choices]`, of each choice.
  init(_ bits: [Double], of space: CodeSpace) {
    self.space = space
    self.bits = space.levels.indices.map { level in
      bits[space.firstChoices[level]..<space.firstChoices[level + 1]].reduce(0, +)
    }
  }

  /// A line per level, or of 16 levels spread evenly.
  var levelLines: [String] {
    Reconstruction.shownLevels(of: bits.count).map { level in
      "level \(level + 1)  \(formatNumber(bits[level], digits: 2)) of \(formatNumber(space.levels[level].bits, digits: 2)) bits"
    }
  }

  var summary: String {
    let total = bits.reduce(0, +)
    return "\(formatNumber(total, digits: 2)) of \(formatNumber(space.bits, digits: 2)) bits a code, "
      + "\(formatNumber(total / max(space.bits, 1e-9) * 100, digits: 1)) %"
  }
}
