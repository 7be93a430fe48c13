import DDN
import DDNEvaluation
import DDNFigures
import DDNFiles
import DDNPictures
import Foundation
import Images
import Torch

/// The files that sum up an ablation study.
public struct AblationOutputs {
  public static let names = ["table.md", "table.txt", "results.json", "loss.svg", "images.png"]

  private let ablation: Ablation
  private let images: AblationImages
  private let distance: String?

  private static let columns = 8

  /// - Parameters:
  ///   - ablation: whose finished runs are summed up.
  ///   - images: that runs are measured on.
  ///   - distance: name of the Frechet distance; nil without a detector.
  public init(_ ablation: Ablation, images: AblationImages, distance: String?) {
    (self.ablation, self.images, self.distance) = (ablation, images, distance)
  }

  /// The table of the runs finished so far.
  public var table: AblationTable {
    AblationTable(ablation.plan, ablation.results, images: images, distance: distance)
  }

  /// Results as `results.json` holds them.
  private struct Report: Encodable {
    let distance: String?
    let trainingImages: Int
    let testImages: Int?
    let omissions: [AblationOmission]
    let runs: [AblationResult]
  }

  /// Writes table, results and curves of the runs finished so far.
  ///
  /// - Throws: `FileError`.
  public func writeNumbers() throws {
    let (plan, folder, results) = (ablation.plan, ablation.folder, ablation.results)
    try AtomicFile.write(Data(table.markdown.utf8), to: folder.file(Self.names[0]))
    try AtomicFile.write(Data(table.text.utf8), to: folder.file(Self.names[1]))
    let report = Report(
      distance: distance, trainingImages: images.training.count, testImages: images.test?.count,
      omissions: plan.omissions, runs: results)
    try AtomicFile.write(AblationFolder.json(report), to: folder.file(Self.names[2]))
    let curves = try plan.rows.map { row in
      (
        name: row.label,
        points: try plan.runs.filter { run in run.row == row && results.contains { $0.folder == run.name } }
          .map { try folder.run($0).readStatistics() }
          .flatMap { $0.map { LossCurve.Point(images: $0.images, losses: $0.lossOfLevels) } }
      )
    }
    try AtomicFile.write(Data(LossCurve.svg(rows: curves).utf8), to: folder.file(Self.names[3]))
  }

  /// Draws images of every row's run of the first seed: random codes of the same seeds, and reconstructions of the same
  /// images.
  ///
  /// - Parameter device: of the networks.
  /// - Throws: `FileError` for a missing model; `ImageError`; `TorchError`.
  public func drawImages(device: Device) throws {
    let (plan, folder) = (ablation.plan, ablation.folder)
    func targets(_ part: AblationImages.Part) throws -> (images: Tensor, classes: Tensor?) {
      try part.images.images(in: 0..<min(Self.columns, part.count))
    }
    let (training, test) = (try targets(images.training), try images.test.map(targets))
    var rows: [AblationGrid.Row] = []
    for run in plan.runs.prefix(plan.rows.count) {
      let network = try Model(contentsOf: folder.run(run).model, device: device).network
      func reconstructed(_ targets: (images: Tensor, classes: Tensor?)) throws -> [Bitmap] {
        try Reconstruction(of: targets.images, by: network, classes: network.classes > 0 ? targets.classes : nil)
          .levels.last!.bitmaps()
      }
      let codes = CodeList(
        seeds: (0..<Self.columns).map { UInt64($0) }, in: network.codeSpace, classes: network.classes)
      rows.append(
        .init(
          label: run.row.label, samples: try DrawingJob(codes.entries, by: network)(0..<Self.columns).bitmaps(),
          training: try reconstructed(training), test: try test.map(reconstructed) ?? []))
    }
    try AblationGrid.draw(
      training: training.images.bitmaps(), test: test?.images.bitmaps() ?? [], rows: rows
    ).write(to: folder.file(Self.names[4]))
  }
}
