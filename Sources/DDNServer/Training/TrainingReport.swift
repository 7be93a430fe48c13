import DDN
import DDNFiles
import DDNTraining
import Foundation

/// A run folder as the page shows it.
struct TrainingReport: Encodable, Sendable {
  /// The folder's name.
  let name: String
  /// Images to train on, repeats included.
  let images: Int
  let batch: Int
  /// K of each layer, for the most that its perplexity can be.
  let nodes: [Int]
  let levels: Int
  /// Name of the data set's file or folder; nil for the shipped digits.
  let data: String?
  /// At most `mostTicks`, the newest always.
  let ticks: [TickStatistics]
  /// Images seen when each picture of samples was drawn, ascending.
  let samples: [Int]
  /// Seconds since the newest statistics were written; nil before there are any.
  let age: Double?

  static let mostTicks = 400
}

/// Reads a run folder that a `ddn train` may be writing.
actor TrainingReader {
  private let folder: RunFolder
  private let options: TrainingOptions
  private var ticks: [TickStatistics] = []
  private var readSize: Int?

  /// - Throws: `FileError` when it is not a run folder.
  init(_ url: URL) throws {
    (folder, options) = try RunFolder.open(url)
  }

  func report() throws -> TrainingReport {
    let attributes = try? FileManager.default.attributesOfItem(atPath: folder.statistics.path)
    let size = (attributes?[.size] as? NSNumber)?.intValue
    if let size, size != readSize {
      ticks = try folder.readStatistics()
      readSize = size
    }
    let space = options.network.codeSpace
    let layers = ticks.last?.perplexityOfLayers.count ?? space.levels.count
    return TrainingReport(
      name: folder.url.lastPathComponent, images: options.images, batch: options.batch,
      nodes: (0..<layers).map {
        space.levels[min($0 * space.levels.count / max(layers, 1), space.levels.count - 1)].nodes
      },
      levels: space.levels.count, data: options.dataFolder.map { URL(fileURLWithPath: $0).lastPathComponent },
      ticks: thinned, samples: try sampleNumbers(),
      age: (attributes?[.modificationDate] as? Date).map { -$0.timeIntervalSinceNow })
  }

  /// The picture of samples drawn after so many images.
  ///
  /// - Throws: `RequestError` (404) when there is none.
  func samples(images: Int) throws -> Data {
    guard try sampleNumbers().contains(images) else {
      throw RequestError(.notFound, "there are no samples after \(images) images")
    }
    return try Data(InputFile.map(folder.picture("samples", images: images)))
  }

  /// All, or so many evenly spaced ones that the newest is among them.
  private var thinned: [TickStatistics] {
    let most = TrainingReport.mostTicks
    guard ticks.count > most else { return ticks }
    return (0..<most).map { ticks[$0 * (ticks.count - 1) / (most - 1)] }
  }

  private func sampleNumbers() throws -> [Int] {
    try Folder.names(in: folder.url).compactMap { name in
      guard name.hasPrefix("samples-"), name.hasSuffix(".png") else { return nil }
      let digits = name.dropFirst("samples-".count).dropLast(".png".count)
      return digits.allSatisfy(\.isNumber) ? Int(digits) : nil
    }.sorted()
  }
}
