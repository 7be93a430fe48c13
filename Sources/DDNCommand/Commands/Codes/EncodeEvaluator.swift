import DDN
import DDNEvaluation
import DDNFigures
import DDNFiles
import DDNPictures
import Foundation
import Images
import Torch

/// `ddn encode --evaluate`: rate and distortion of a model, beside codes of the same bits and picture files.
struct EncodeEvaluator {
  let model: Model
  /// Test images.
  let test: any EncodingSource
  /// How many of them, from the first.
  let count: Int
  /// What PCA and k-means are fitted to; nil for neither.
  let training: (any EncodingSource)?
  let folder: OutputFolder
  /// Whether to compare with picture files.
  var hasPictures = true
  var search = CodeSearch()
  var precision = Precision.float32
  var batchSize = EncodingJob.defaultBatch
  /// Sizes of the model's files; nil for codes alone.
  var fileBytes: CompressionEvaluation.FileBytes?

  /// The files that `run` writes into the folder.
  static let files = ["evaluation.json", "evaluation.md", "rate-distortion.svg", "comparison.png"]

  /// - Throws: `FileError`; `JobStopped`; `ConditionError`; `ImageError`; `TorchError`.
  func run() throws {
    StopSignal.listen("stopping; Ctrl-C again after 3 seconds stops at once")
    var evaluation = CompressionEvaluation(of: model.network, test: test, count: count, training: training)
    (evaluation.search, evaluation.precision, evaluation.batchSize) = (search, precision, batchSize)
    evaluation.fileBytes = fileBytes
    if !hasPictures { evaluation.codecs = [] }
    var progress: (work: String, line: ProgressLine)?
    let (report, examples) = try evaluation.run(shouldContinue: StopSignal.shouldContinue) { work, share in
      if progress?.work != work { progress = (work, .ofShare()) }
      progress!.line.show(Int(share * 1000), work)
    }
    progress?.line.clear()
    try AtomicFile.write(JSONEncoder.readable.encode(report), to: folder.file("evaluation.json"))
    let text = CompressionTable(report).text
    try AtomicFile.write(Data(text.utf8), to: folder.file("evaluation.md"))
    try AtomicFile.write(Data(RateDistortionCurve.svg(report).utf8), to: folder.file("rate-distortion.svg"))
    try CompressionGrid.draw(examples, zoom: max(1, 128 / report.imageShape[2]))
      .write(to: folder.file("comparison.png"))
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
      Terminal.print(String(line))
    }
    for name in Self.files { Terminal.print(folder.file(name).path) }
  }
}
