import DDNFiles
import Foundation

/// The folder of one training run: options, statistics, pictures, the newest model and saved states.
public struct RunFolder: Sendable {
  public let url: URL

  public init(url: URL) { self.url = url }

  public var options: URL { url.appendingPathComponent("options.json") }
  public var statistics: URL { url.appendingPathComponent("stats.jsonl") }
  /// The newest model, for `ddn generate` and the others.
  public var model: URL { url.appendingPathComponent("model.safetensors") }
  public var lossCurve: URL { url.appendingPathComponent("loss.svg") }
  /// A picture made after `images` images, such as `samples-0000010000.png`.
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
      // Two runs that start together must not share a folder; whoever makes it first has it.
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

  /// Writes what decides how the run goes.
  public func write(_ options: TrainingOptions) throws {
    try AtomicFile.write(try options.json(), to: self.options)
  }

  /// The name that the next run would get.
  ///
  /// - Throws: `FileError` when the folder cannot be listed.
  public static func nextName(in parent: URL, name: String) throws -> String {
    let numbers = try Folder.names(in: parent).compactMap { Int($0.prefix { $0.isNumber }) }
    let next = (numbers.filter { $0 < Int.max }.max() ?? -1) + 1
    return "\(zeroPadded(next, digits: 5))-\(name)"
  }

  /// The folder of a run to continue, and its options.
  ///
  /// - Throws: `FileError` when it is not a run folder; it says which one is meant when it is a state or the parent of one.
  public static func open(_ url: URL) throws -> (RunFolder, TrainingOptions) {
    let folder = RunFolder(url: url)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue else {
      throw FileError(
        .missing, path: url.path, problem: "no such run folder", remedy: "name a folder that ddn train made")
    }
    guard FileManager.default.fileExists(atPath: folder.options.path) else { throw try notARun(url) }
    let data = try InputFile.map(folder.options)
    guard let options = try? JSONDecoder().decode(TrainingOptions.self, from: data), (try? options.validate()) != nil
    else {
      throw FileError(
        .invalid, path: folder.options.path, problem: "holds no options that this program can run",
        remedy: "restore the file, or start a new run")
    }
    return (folder, options)
  }

  /// What is wrong with a folder without options.
  private static func notARun(_ url: URL) throws -> FileError {
    func isRun(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: RunFolder(url: url).options.path) }
    let parent = url.standardizedFileURL.deletingLastPathComponent()
    if url.standardizedFileURL.lastPathComponent.hasPrefix("state-"), isRun(parent) {
      return FileError(
        .invalid, path: url.path, problem: "is a saved state, not a run folder",
        remedy: "name \(parent.path), which goes on from its newest state")
    }
    if let newest = try Folder.names(in: url).last(where: { isRun(url.appendingPathComponent($0)) }) {
      return FileError(
        .invalid, path: url.path, problem: "holds run folders and is none itself",
        remedy: "name one of them, such as \(url.appendingPathComponent(newest).path)")
    }
    return FileError(
      .missing, path: url.path, problem: "is not a run folder: it has no options.json",
      remedy: "name a folder that ddn train made")
  }

  /// Refuses a folder without a saved state from which a run that was saved would begin again.
  ///
  /// - Throws: `FileError` (`missing`) when a model, or statistics of later than the first save, show that there was one.
  func checkNothingWasSaved(_ options: TrainingOptions) throws {
    if FileManager.default.fileExists(atPath: model.path) {
      throw FileError(
        .missing, path: url.path, problem: "has a model but no saved state to go on from",
        remedy: "restore its state-* folder, or start a new run with --transfer \(model.path)")
    }
    guard hasStatistics, let last = try readStatistics().last else { return }
    // A save comes with a tick, so later statistics than the first save's mean that it is gone.
    let lastTick = last.images / options.tickImages
    guard lastTick > options.saveTicks else { return }
    throw FileError(
      .missing, path: url.path, problem: "has statistics of \(last.images) images but no saved state to go on from",
      remedy: "restore its state-* folder, or start a new run")
  }

  var hasStatistics: Bool { FileManager.default.fileExists(atPath: statistics.path) }

  /// Forgets statistics of later than `images`, which a killed run wrote after its last save.
  func truncateStatistics(after images: Int) throws {
    guard hasStatistics else { return }
    let lines = try InputFile.map(statistics).split(separator: UInt8(ascii: "\n"))
    let kept = lines.filter { line in
      guard let tick = try? JSONDecoder().decode(TickStatistics.self, from: Data(line)) else { return false }
      return tick.images <= images
    }
    try AtomicFile.write(Data(kept.map { $0 + [UInt8(ascii: "\n")] }.joined()), to: statistics)
  }

  /// What `stats.jsonl` says, line by line; lines that are no statistics are left out.
  public func readStatistics() throws -> [TickStatistics] {
    try InputFile.map(statistics).split(separator: UInt8(ascii: "\n"))
      .compactMap { try? JSONDecoder().decode(TickStatistics.self, from: Data($0)) }
  }

  /// Adds one line to `stats.jsonl`.
  func append(_ tick: TickStatistics) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    try LineFile.append(try encoder.encode(tick), to: statistics)
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
  /// Splits so far, all layers together.
  public var splits: Int
  /// Steps of this session that changed nothing because of a gradient that was no number; nil in older files.
  public var skippedSteps: Int?
}
