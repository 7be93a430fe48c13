import DDN
import DDNFiles
import DDNVision
import Foundation

/// How close images are to a reference, by all measures that the reference allows.
public struct DistanceReport: Encodable, Sendable {
  /// The Frechet distance of the images of one class to the reference's.
  public struct ClassDistance: Encodable, Sendable {
    public let classIndex: Int
    public let images: Int
    public let referenceImages: Int
    public let frechet: Double
  }

  /// The images measured.
  public let measured: String
  public let reference: String
  /// "FID", or a name that says which network's features are compared.
  public let distance: String
  /// Kind and checksum of the detector.
  public let detector: String
  public let images: Int
  /// Nil when the statistics do not tell.
  public let referenceImages: Int?
  public let frechet: Double
  /// Mean over subsets.
  public private(set) var kid: Double?
  /// Standard deviation over subsets.
  public private(set) var kidDeviation: Double?
  public private(set) var kidSubsets: Int?
  public private(set) var kidSubsetSize: Int?
  public private(set) var precision: Double?
  public private(set) var recall: Double?
  public private(set) var classes: [ClassDistance]?

  /// Measures images.
  ///
  /// - Parameters:
  ///   - images: features of the images.
  ///   - reference: of the same detector.
  ///   - detector: of both.
  ///   - measures: those beyond the Frechet distance need reference images.
  ///   - byClass: whether to measure every class, too.
  ///   - seed: of KID's subsets.
  ///   - shouldContinue: called between blocks; false stops.
  /// - Throws: `JobStopped`; `EvaluationError` for too few images, or when classes are asked for that are unknown;
  ///   `FileError`; `TorchError`.
  public init(
    _ images: Features, _ reference: EvaluationReference, detector: DetectorIdentity,
    measures: Set<EvaluationMeasure> = Set(EvaluationMeasure.allCases), byClass: Bool = false, seed: UInt64 = 0,
    shouldContinue: () -> Bool = { true }
  ) throws {
    (measured, self.reference) = (images.name, reference.name)
    (distance, self.detector) = (detector.distanceName, detector.description)
    (self.images, referenceImages) = (images.count, reference.statistics.count)
    frechet = try FrechetDistance(images.statistics(), reference.statistics).value
    guard let others = reference.features else {
      if byClass { throw EvaluationError("distances by class need reference images, not statistics") }
      return
    }
    if measures.contains(.kid) {
      guard shouldContinue() else { throw JobStopped() }
      let kernel = try KernelDistance(images, others, seed: seed)
      (kid, kidDeviation) = (kernel.mean, kernel.deviation)
      (kidSubsets, kidSubsetSize) = (kernel.subsets, kernel.subsetSize)
    }
    if measures.contains(.precision) {
      let found = try PrecisionRecall(images, others, shouldContinue: shouldContinue)
      (precision, recall) = (found.precision, found.recall)
    }
    if byClass { classes = try Self.classes(images, others, shouldContinue) }
  }

  private static func classes(
    _ images: Features, _ reference: Features, _ shouldContinue: () -> Bool
  ) throws -> [ClassDistance] {
    guard let labels = images.labels, let others = reference.labels else {
      let name = images.labels == nil ? images.name : reference.name
      throw EvaluationError("\(name): its images have no classes; leave --per-class out")
    }
    let counts = Dictionary(labels.map { ($0, 1) }, uniquingKeysWith: +)
    let otherCounts = Dictionary(others.map { ($0, 1) }, uniquingKeysWith: +)
    let shared = counts.keys.filter { counts[$0]! >= 2 && otherCounts[$0] ?? 0 >= 2 }.sorted()
    guard !shared.isEmpty else {
      throw EvaluationError("no class has two images in both \(images.name) and \(reference.name)")
    }
    return try shared.map { index in
      guard shouldContinue() else { throw JobStopped() }
      let distance = try FrechetDistance(
        images.statistics(classIndex: index), reference.statistics(classIndex: index))
      return ClassDistance(
        classIndex: index, images: counts[index]!, referenceImages: otherCounts[index]!, frechet: distance.value)
    }
  }

  /// The fewest images of a distance that the literature compares.
  public static let usualImages = 50_000

  /// A line for each measure.
  public var lines: [String] {
    func number(_ value: Double, _ format: String) -> String { String(format: format, value) }
    let known = referenceImages.map { "\($0) reference images" } ?? "a reference of unknown size"
    var lines = ["\(distance): \(number(frechet, "%.6g")), \(images) images, \(known)"]
    if distance == "FID", images < Self.usualImages {
      lines.append("of \(images) images: not FID-50k, which the literature compares; fewer images give higher values")
    }
    if let kid, let kidDeviation, let kidSubsets, let kidSubsetSize {
      lines.append(
        "kernel distance (KID\(distance == "FID" ? "" : "'s formula")): \(number(kid, "%.6g")) +- "
          + "\(number(kidDeviation, "%.2g")), \(kidSubsets == 1 ? "1 subset" : "\(kidSubsets) subsets") of \(kidSubsetSize)"
      )
    }
    if let precision, let recall {
      lines.append("precision: \(number(precision, "%.4f")), recall: \(number(recall, "%.4f"))")
    }
    for row in classes ?? [] {
      lines.append(
        "class \(row.classIndex): \(number(row.frechet, "%.6g")), \(row.images) images, "
          + "\(row.referenceImages) reference images")
    }
    return lines
  }

  /// Reports as JSON, with sorted keys.
  public static func json(_ reports: [DistanceReport]) throws -> Data { try JSONEncoder.readable.encode(reports) }
}
