import DDNFiles
import Foundation
import TensorBoard

/// TensorBoard's event files of a run: scalars at every tick, node use and pictures at every save. Steps are images.
///
/// Each start of the run has a file, whose beginning removes what a killed run wrote after the state that it resumes from.
final class TrainingEvents {
  private let folder: URL
  /// Images of the state that the run starts from.
  private let start: Int
  /// Nil before the first event.
  private var file: EventFile?

  init(in folder: RunFolder, startingAt images: Int) {
    self.folder = folder.url
    start = images
  }

  /// - Parameters:
  ///   - tick: its statistics.
  ///   - nodeUse: for each level `[K]` images; empty for no histograms.
  /// - Throws: `FileError` when it cannot be written; nothing is then added.
  func append(_ tick: TickStatistics, nodeUse: [[Int]]) throws(FileError) {
    try append(tick.summary + nodeUse.summary, images: tick.images)
  }

  func append(_ picture: PNGPicture, named name: String, images: Int) throws(FileError) {
    try append([SummaryValue("pictures/\(name)", .picture(picture))], images: images)
  }

  private func append(_ values: [SummaryValue], images: Int) throws(FileError) {
    if file == nil { file = try EventFile(in: folder, restartingAt: start + 1) }
    try file?.append(values, step: images)
  }
}

extension TickStatistics {
  fileprivate var summary: [SummaryValue] {
    var scalars = [
      ("loss/mean", loss), ("training/learning_rate", learningRate), ("training/images_per_second", imagesPerSecond),
      ("training/splits", Double(splits)),
    ]
    if let skippedSteps { scalars.append(("training/skipped_steps", Double(skippedSteps))) }
    if let frechetDistance { scalars.append(("metrics/frechet_distance", frechetDistance)) }
    scalars += lossOfLevels.enumerated().map { ("loss/level_\($0 + 1)", $1) }
    scalars += perplexityOfLayers.enumerated().map { ("perplexity/layer_\($0 + 1)", $1) }
    return scalars.map { SummaryValue($0, .scalar($1)) }
  }
}

extension [[Int]] {
  /// Histograms of the nodes' shares in units of a fair one, `1 / K`: 0 is an unused node.
  fileprivate var summary: [SummaryValue] {
    enumerated().compactMap { level, counts in
      let fair = Double(counts.reduce(0, +)) / Double(counts.count)
      guard fair > 0 else { return nil }
      return SummaryValue("node_use/level_\(level + 1)", .histogram(Histogram(counts.map { Double($0) / fair })))
    }
  }
}
