import DDN
import DDNFiles
import Foundation

/// The folder of one training run: options, statistics, image grids, the newest model and saved states.
public struct RunFolder: Sendable {
  public let url: URL

  public init(url: URL) { self.url = url }

  public var options: URL { url.appendingPathComponent("options.json") }
  public var statistics: URL { url.appendingPathComponent("stats.jsonl") }
  /// The newest model.
  public var model: URL { url.appendingPathComponent("model.safetensors") }
  public var lossCurve: URL { url.appendingPathComponent("loss.svg") }
  public var distanceCurve: URL { url.appendingPathComponent("distance.svg") }
  /// An image grid after `images` images, such as `samples-0000010000.png`.
  public func picture(_ name: String, images: Int) -> URL {
    url.appendingPathComponent("\(name)-\(zeroPadded(images, digits: 10)).png")
  }

  /// A new folder `<5-digit number>-<name>` in `parent`, numbered one above the highest there.
  ///
  /// - Throws: `FileError` when it cannot be created.
  public static func create(in parent: URL, name: String, options: TrainingOptions) throws -> RunFolder {
    try Folder.create(parent)
    while true {
      let url = parent.appendingPathComponent(try nextName(in: parent, name: name))
      // Atomic: two runs that start together must not share a folder.
      if mkdir(url.path, 0o755) != 0 {
        if errno == EEXIST { continue }
        throw FileError.system("this folder cannot be created", path: url.path)
      }
      let folder = RunFolder(url: url)
      do { try folder.write(options) } catch {
        rmdir(url.path)
        throw error
      }
      return folder
    }
  }

  /// Writes the run's options.
  public func write(_ options: TrainingOptions) throws {
    try AtomicFile.write(try options.json(), to: self.options)
  }

  /// The next run's name.
  ///
  /// - Throws: `FileError` when the folder cannot be listed.
  public static func nextName(in parent: URL, name: String) throws -> String {
    let numbers = try Folder.names(in: parent).compactMap { Int($0.prefix { $0.isNumber }) }
    let next = (numbers.filter { $0 < Int.max }.max() ?? -1) + 1
    return "\(zeroPadded(next, digits: 5))-\(name)"
  }

  /// The folder of a run to continue, and its options.
  ///
  /// - Throws: `FileError` when it is not a run folder; suggests one for a state or a parent of run folders.
  public static func open(_ url: URL) throws -> (RunFolder, TrainingOptions) {
    let folder = RunFolder(url: url)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue else {
      throw FileError(
        .missing, path: url.path, problem: "no such run folder", remedy: "give a folder that ddn train created")
    }
    guard FileManager.default.fileExists(atPath: folder.options.path) else { throw try notARun(url) }
    let data = try InputFile.map(folder.options)
    func invalid(_ problem: String) -> FileError {
      FileError(
        .invalid, path: folder.options.path, problem: problem, remedy: "restore the file, or start a new run")
    }
    guard let options = try? JSONDecoder().decode(TrainingOptions.self, from: data) else {
      throw invalid("holds no training options")
    }
    do throws(ConfigurationError) { try options.validate() } catch {
      throw invalid("holds options that are not valid: \(error)")
    }
    return (folder, options)
  }

  /// The error for a folder without options.
  private static func notARun(_ url: URL) throws -> FileError {
    func isRun(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: RunFolder(url: url).options.path) }
    let parent = url.standardizedFileURL.deletingLastPathComponent()
    if url.standardizedFileURL.lastPathComponent.hasPrefix("state-"), isRun(parent) {
      return FileError(
        .invalid, path: url.path, problem: "is a saved state, not a run folder",
        remedy: "give \(parent.path), which resumes from its newest state")
    }
    if let newest = try Folder.names(in: url).last(where: { isRun(url.appendingPathComponent($0)) }) {
      return FileError(
        .invalid, path: url.path, problem: "contains run folders but is not one",
        remedy: "give one of them, such as \(url.appendingPathComponent(newest).path)")
    }
    return FileError(
      .missing, path: url.path, problem: "is not a run folder: it has no options.json",
      remedy: "give a folder that ddn train created")
  }

  /// Checks that a folder without a saved state never had one, so that resuming cannot restart a run that lost its
  /// states.
  ///
  /// - Throws: `FileError` (`missing`) when there is a model, or statistics later than the first save.
  func checkNothingWasSaved(_ options: TrainingOptions) throws {
    if FileManager.default.fileExists(atPath: model.path) {
      throw FileError(
        .missing, path: url.path, problem: "has a model but no saved state to resume from",
        remedy: "restore its state-* folder, or start a new run with --transfer \(model.path)")
    }
    guard hasStatistics, let last = try readStatistics().last else { return }
    // Saves happen at ticks, so statistics later than the first save mean that states were lost.
    let lastTick = last.images / options.tickImages
    guard lastTick > options.saveTicks else { return }
    throw FileError(
      .missing, path: url.path, problem: "has statistics of \(last.images) images but no saved state to resume from",
      remedy: "restore its state-* folder, or start a new run")
  }

  var hasStatistics: Bool { FileManager.default.fileExists(atPath: statistics.path) }

  /// Removes statistics after `images`, which a killed run wrote after its last save, and damaged lines.
  ///
  /// - Returns: a copy of the file as it was, if whole lines were damaged; a killed run leaves at most a part of one.
  @discardableResult
  func truncateStatistics(after images: Int) throws -> URL? {
    guard hasStatistics else { return nil }
    let file = try InputFile.map(statistics)
    var isDamaged = false
    let kept = file.split(separator: UInt8(ascii: "\n")).filter { line in
      guard let tick = try? JSONDecoder().decode(TickStatistics.self, from: Data(line)) else {
        isDamaged = isDamaged || line.endIndex < file.endIndex
        return false
      }
      return tick.images <= images
    }
    let copy = isDamaged ? statistics.appendingPathExtension("damaged") : nil
    if let copy { try AtomicFile.write(file, to: copy) }
    try AtomicFile.write(Data(kept.map { $0 + [UInt8(ascii: "\n")] }.joined()), to: statistics)
    return copy
  }

  /// Reads `stats.jsonl`, skipping invalid lines.
  public func readStatistics() throws -> [TickStatistics] {
    try InputFile.map(statistics).split(separator: UInt8(ascii: "\n"))
      .compactMap { try? JSONDecoder().decode(TickStatistics.self, from: Data($0)) }
  }

  /// Appends a line to `stats.jsonl`.
  func append(_ tick: TickStatistics) throws {
    try GrowingFile.append(try JSONEncoder.oneLine.encode(tick) + [UInt8(ascii: "\n")], to: statistics)
  }
}

/// One line of `stats.jsonl`.
public struct TickStatistics: Codable, Sendable, Equatable {
  /// Images seen so far.
  public var images: Int
  public var elapsedSeconds: Double
  /// Over the last tick.
  public var imagesPerSecond: Double
  public var learningRate: Double
  /// Mean over levels of the mean squared error since the last tick.
  public var loss: Double
  public var lossOfLevels: [Double]
  /// Perplexity of node use of each layer, in 1...K.
  public var perplexityOfLayers: [Double]
  /// Splits so far, in all layers.
  public var splits: Int
  /// Steps of this session that were skipped because of non-finite gradients; nil in older files.
  public var skippedSteps: Int?
  /// Of images that the network generates to the training images, if `TrainingRun.measure` is set.
  public var frechetDistance: Double?
}
