import ArgumentParser
import DDNClassifiers
import DDNData
import DDNEvaluation
import DDNFiles
import DDNVision
import Foundation
import Torch

/// Measures the images that a command generates.
struct GeneratedDistance: ParsableArguments {
  @Option(
    help: """
      Also print the images' Frechet distance to this reference, statistics of ddn fid ref or images; FID-50k at 50000 seeds.
      """, completion: .file())
  var fidRef: String?

  @Option(
    help: .init("\(DetectorOption.kinds). For --fid-ref.", valueName: "name|file"), completion: .file())
  var detector: String?

  @OptionGroup var kept: CacheOption

  func validate() throws {
    guard (fidRef == nil) == (detector == nil) else { throw ValidationError("--fid-ref and --detector go together") }
    guard fidRef != nil || kept.cache == nil else { throw ValidationError("--cache is for --fid-ref") }
  }

  /// The reference and its detector.
  struct Judge {
    let detector: any FeatureDetector
    /// Nil on other ranks than 0.
    let reference: EvaluationReference?
    let cache: FeatureCache

    /// Prints the distance of a folder of images, which all ranks see.
    func callAsFunction(images: String, precision: Precision, device: Device) throws {
      let found = try withPrecision(precision, on: device) {
        try cache.features(of: FileImages(URL(fileURLWithPath: images)), by: detector)
      }
      guard let found, let reference else { return }
      let report = try DistanceReport(found, reference, detector: detector.identity, measures: [.frechet])
      for line in report.lines { Terminal.print(line) }
    }
  }

  /// Checks that the files are there, for a dry run.
  ///
  /// - Throws: `FileError`.
  func check(_ device: Device) throws {
    guard let fidRef, let detector else { return }
    _ = try openDetector(detector, device: device)
    guard FileManager.default.fileExists(atPath: fidRef) else {
      throw FileError(.missing, path: fidRef, problem: "no such file", remedy: "check --fid-ref")
    }
  }

  /// Opens detector and reference before images are generated; nil without a reference.
  func open(_ device: Device, _ shared: SharedJob) throws -> Judge? {
    guard let fidRef, let detector else { return nil }
    let network = try openDetector(detector, device: device)
    let cache = FeatureCache(folder: kept.folder, group: shared.group)
    return Judge(
      detector: network, reference: try cache.reference(fidRef, network, split: .train), cache: cache)
  }
}
