import DDNData
import DDNFiles
import DDNTraining
import Foundation

/// What all runs of an ablation study share; a folder holds runs of one such setting only.
public struct AblationSetting: Codable, Sendable, Equatable {
  /// Of the unchanged training, with its fingerprint; the seed does not count.
  public var options: TrainingOptions
  /// Images of each part at most, and random codes, that runs are measured by.
  public var count: Int
  /// Of the training images that runs are measured on.
  public var training: DatasetFingerprint
  /// Of the test images; nil for none.
  public var test: DatasetFingerprint?
  /// Kind and checksum; nil for none.
  public var detector: String?

  /// - Parameters:
  ///   - options: of the unchanged training, after `identify`.
  ///   - count: images of each part at most.
  ///   - images: that runs are measured on.
  ///   - detector: kind and checksum; nil for none.
  public init(options: TrainingOptions, count: Int, images: AblationImages, detector: String?) {
    self.options = options
    self.options.seed = 0
    self.count = count
    training = images.training.fingerprint
    test = images.test?.fingerprint
    self.detector = detector
  }

  /// The first difference from an earlier setting, as a message; nil for none. Where the images are does not count.
  func difference(from earlier: Self) -> String? {
    let parts = [
      ("data set", options.fingerprint, earlier.options.fingerprint), ("images to measure", training, earlier.training),
      ("test set", test, earlier.test),
    ]
    for (name, now, before) in parts where now != before {
      guard let now, let before else { return "there \(before == nil ? "was no" : "was a") \(name)" }
      return "the \(name) \(now.difference(from: before) ?? "differs")"
    }
    if detector != earlier.detector {
      return "the detector is \(detector ?? "none"), and was \(earlier.detector ?? "none")"
    }
    let (mine, theirs) = (Self.values(of: self), Self.values(of: earlier))
    for name in Set(mine.keys).union(theirs.keys).sorted() where mine[name] != theirs[name] {
      return "\(name) is \(mine[name] ?? "none"), and was \(theirs[name] ?? "none")"
    }
    return nil
  }

  /// Names and values of all options but the images' place, such as "network.recurrent.nodes" and "8".
  private static func values(of setting: Self) -> [String: String] {
    var setting = setting
    setting.options.dataFolder = nil
    var values: [String: String] = [:]
    func add(_ value: Any, _ name: String) {
      switch value {
      case let object as [String: Any]:
        for (key, value) in object { add(value, name.isEmpty ? key : "\(name).\(key)") }
      case let list as [Any]: for (index, value) in list.enumerated() { add(value, "\(name).\(index)") }
      default: values[name] = "\(value)"
      }
    }
    let options = (try? setting.options.json()).flatMap { try? JSONSerialization.jsonObject(with: $0) }
    add(options ?? [:], "")
    values["count"] = "\(setting.count)"
    return values
  }
}

/// The folder of an ablation study: its setting, a run folder for each row and seed, and the outputs.
public struct AblationFolder: Sendable {
  public let url: URL

  private static let settingName = "ablation.json"

  public init(_ url: URL) { self.url = url }

  /// The setting of the study in the folder; nil where there is none.
  ///
  /// - Throws: `FileError` (`invalid`) for a damaged file.
  public func setting() throws(FileError) -> AblationSetting? {
    let file = url.appendingPathComponent(Self.settingName)
    guard FileManager.default.fileExists(atPath: file.path) else { return nil }
    let data = try InputFile.map(file)
    do { return try JSONDecoder().decode(AblationSetting.self, from: data) } catch {
      throw FileError(
        .invalid, path: file.path, problem: "is not the setting of an ablation study",
        remedy: "restore the file, or give another folder with --out")
    }
  }

  /// Creates the folder, or checks that it belongs to the same study, and locks it.
  ///
  /// - Returns: the lock, to be held while the study runs.
  /// - Throws: `FileError` (`failed`) when it holds other files or a study of another setting, or another process works in
  ///   it.
  public func open(for setting: AblationSetting) throws -> FolderLock {
    if let saved = try self.setting() {
      if let difference = setting.difference(from: saved) {
        throw FileError(
          .failed, path: url.path, problem: "holds an ablation study of other options: \(difference)",
          remedy: "give the same options, or another folder with --out")
      }
    } else if let name = try Folder.names(in: url).first(where: { !$0.hasPrefix(".") }) {
      throw FileError(
        .failed, path: url.path, problem: "holds files that are not of an ablation study, such as \(name)",
        remedy: "give another folder with --out")
    }
    try Folder.create(url)
    let lock = try FolderLock(url, for: "running an ablation study")
    try Folder.removeLeftovers(in: url)
    try AtomicFile.write(Self.json(setting), to: url.appendingPathComponent(Self.settingName))
    return lock
  }

  /// The folder of a run.
  public func run(_ run: AblationRun) -> RunFolder { RunFolder(url: url.appendingPathComponent(run.name)) }

  /// An output.
  public func file(_ name: String) -> URL { url.appendingPathComponent(name) }

  /// The saved result of a run; nil before the run is finished and measured, or when the file is damaged.
  func result(of run: AblationRun) -> AblationResult? {
    guard let data = try? InputFile.map(resultFile(run)),
      let result = try? JSONDecoder().decode(AblationResult.self, from: data)
    else { return nil }
    return result.images >= run.options.images && FileManager.default.fileExists(atPath: self.run(run).model.path)
      ? result : nil
  }

  func write(_ result: AblationResult, of run: AblationRun) throws {
    try AtomicFile.write(Self.json(result), to: resultFile(run))
  }

  private func resultFile(_ run: AblationRun) -> URL { self.run(run).url.appendingPathComponent("measures.json") }

  static func json(_ value: some Encodable) throws -> Data { try JSONEncoder.readable.encode(value) }
}
