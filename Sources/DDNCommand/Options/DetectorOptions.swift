import ArgumentParser
import DDN
import DDNClassifiers
import DDNData
import DDNEvaluation
import DDNFiles
import DDNVision
import Foundation
import Torch

/// Where computed features are kept.
struct CacheOption: ParsableArguments {
  @Option(
    help: .init(
      "Folder that keeps features, so that a command resumes and no image is read twice. (default: \(usual.path))",
      valueName: "folder|none"))
  var cache: String?

  /// Beside libtorch's.
  private static var usual: URL {
    let environment = ProcessInfo.processInfo.environment
    func folder(_ name: String) -> URL? { environment[name].flatMap { $0.isEmpty ? nil : URL(fileURLWithPath: $0) } }
    let caches =
      folder("XDG_CACHE_HOME") ?? FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(".cache")
    return (folder("DDN_CACHE") ?? caches.appendingPathComponent("ddn-swift")).appendingPathComponent("features")
  }

  /// Nil for none.
  var folder: URL? { cache == "none" ? nil : cache.map { URL(fileURLWithPath: $0) } ?? Self.usual }
}

/// How features are computed and kept.
struct FeatureOptions: ParsableArguments {
  @OptionGroup var kept: CacheOption

  @Option(
    parsing: .unconditional, help: "Images per batch. (default: \(Features.defaultBatch))",
    transform: wholeNumber(in: 1...65_536))
  var batch = Features.defaultBatch

  func cache(of shared: SharedJob) -> FeatureCache {
    FeatureCache(folder: kept.folder, batch: batch, group: shared.group)
  }
}

/// Computes features with a progress line; all ranks share the work.
struct FeatureCache {
  /// Rank 0's.
  let folder: URL?
  var batch = Features.defaultBatch
  /// Nil for a single process.
  let group: ProcessGroup?

  /// The features of a source's images, with a progress line; nil on other ranks than 0.
  func features(
    of source: any FeatureSource, by detector: any FeatureDetector, _ what: String = "features"
  ) throws -> Features? {
    var progress = ProgressLine(total: source.count, unit: "images")
    defer { progress.clear() }
    return try Features.shared(
      of: source, by: detector, cache: folder, batch: batch, over: group, shouldContinue: StopSignal.shouldContinue
    ) { progress.show($0, what) }
  }

  /// The reference at `path`: statistics, or images; nil on other ranks than 0.
  ///
  /// - Parameters:
  ///   - path: of an npz file, EDM2's pickle, or images.
  ///   - detector: computes features.
  ///   - split: of data sets that have both.
  ///   - number: how many images to take; nil for all.
  ///   - seed: of the images taken.
  func reference(
    _ path: String, _ detector: any FeatureDetector, split: DatasetSplit, number: Int? = nil, seed: UInt64 = 0
  ) throws -> EvaluationReference? {
    let url = URL(fileURLWithPath: path)
    if FileManager.default.fileExists(atPath: url.path), try ReferenceStatistics.isStatistics(url) {
      guard group?.isMain ?? true else { return nil }
      let statistics = try ReferenceStatistics(contentsOf: url)
      if statistics.detector == nil, detector.identity.isInception {
        Terminal.printError("note: \(path) does not name its detector, taken for Inception v3")
      }
      return try EvaluationReference(statistics, for: detector)
    }
    let images = try FileImages(url, number: number, seed: seed, split: split)
    return try features(of: images, by: detector, "reference").map { try EvaluationReference($0) }
  }
}

/// A detector that has to be named.
struct DetectorOption: ParsableArguments {
  static let kinds = """
    Inception's weights (pt_inception-2015-12-05-6726825d.pth, the same as safetensors, or inception-2015-12-05.pt as \
    TorchScript, whose code is run), a file of ddn classifier train, or a shipped classifier
    """

  @Option(
    help: .init("\(kinds) (\(ResidualClassifier.shippedNames.joined(separator: ", "))).", valueName: "name|file"),
    completion: .file())
  var detector: String

  func load(_ device: Device) throws -> any FeatureDetector { try openDetector(detector, device: device) }
}
