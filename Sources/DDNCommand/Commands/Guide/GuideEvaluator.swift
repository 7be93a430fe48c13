import DDN
import DDNFiles
import DDNGuidance
import DDNTraining
import Foundation
import Torch

/// `ddn guide --evaluate`: a table of guides, each beside two bounds and the obvious answer. All ranks draw samples; rank 0
/// does everything else.
struct GuideEvaluator {
  let options: GuideSamples
  let model: Model
  let device: Device
  let shared: SharedJob

  private static let defaultCount = 100

  func run() throws {
    let network = model.network
    let guides =
      options.guides.isEmpty
      ? GuidanceEvaluation.standardGuides(imageShape: network.imageShape) : options.guides
    let targets = try TargetImages(
      options.images, data: options.data, resize: options.resize, count: options.count,
      defaultCount: Self.defaultCount, of: model, device: device)
    let seeds = options.chosenSeeds(targets.count)
    let beams = options.beams == 1 ? [1] : [1, options.beams]
    // Reads each guide before the work starts.
    let mixes = try guides.map { text in
      try MixedGuide(
        [text], for: .init(imageShape: network.imageShape, device: device), levels: network.codeSpace.levels.count)
    }
    let evaluations = try mixes.map { try GuidanceEvaluation($0) }
    let url = URL(fileURLWithPath: options.outdir ?? "guided-evaluation")
    let total = guides.count * targets.count * seeds.count * (beams.reduce(0, +) * options.candidates)
    if options.dryRun {
      Terminal.print(
        "would measure \(counted(guides.count, "guide")) on \(counted(targets.count, "target")) with "
          + "\(counted(total, "network run")) into \(url.path) on \(device)")
      return
    }
    var rows: [GuidanceEvaluation.Row] = []
    _ = try shared.first {
      let folder = try OutputFolder(
        url, for: options.identity, files: ["evaluation.json", "evaluation.md"], overwrites: options.overwrite)
      if folder.isContinued { rows = try Self.savedRows(url) }
      return folder.isContinued
    }
    StopSignal.listen("stopping; the same command resumes from here; Ctrl-C again after 3 seconds stops at once")
    var progress = ProgressLine(total: total, unit: "network runs")
    defer { progress.clear() }
    var done = 0
    func add(_ row: GuidanceEvaluation.Row) throws {
      rows.append(row)
      try Self.save(rows, in: url)
    }
    func has(_ guide: String, _ method: String) -> Bool { rows.contains { $0.guide == guide && $0.method == method } }
    let (all, classes) = try targets.source.images(in: 0..<targets.count)
    let bounds = try shared.isMain ? makeBounds(all, classes: classes) : []
    for (evaluation, mix) in zip(evaluations, mixes) {
      let text = evaluation.text
      for (method, images) in bounds where !has(text, method) {
        try add(evaluation.row(of: images, targets: all, method: method))
      }
      if shared.isMain, !has(text, "measurement enlarged") {
        let measured = try evaluation.measured(all)
        try add(evaluation.row(of: measured, targets: all, method: "measurement enlarged"))
      }
      for width in beams {
        let runs = width * options.candidates
        let method = "guided, \(counted(width, "beam"))"
        if try !shared.first({ has(text, method) }) {
          let sampler = GuidedSampler(
            network, guide: mix, top: options.topK, beams: width, attempts: options.candidates)
          let job = GuidedJob(
            sampler, targets: targets.source, targetCount: targets.count, seeds: seeds, classIndex: options.classIndex,
            precision: options.machine.precision ?? .float32, batchSize: max(options.batch, seeds.count * runs))
          let row = try evaluation.row(
            of: job, method: method, over: shared.group, shouldContinue: StopSignal.shouldContinue,
            progress: { progress.show(done + $0 * runs, "\(text), \(method)") })
          if shared.isMain { try add(row) }
        }
        done += targets.count * seeds.count * runs
      }
    }
    progress.clear()
    try shared.finish()
    guard shared.isMain else { return }
    let file = url.appendingPathComponent("evaluation.md")
    try AtomicFile.write(Data(Self.table(rows).utf8), to: file)
    Terminal.print(Self.table(rows))
    Terminal.print(file.path)
  }

  /// What the model can do at best, and without a guide.
  private func makeBounds(_ targets: Tensor, classes: Tensor?) throws -> [(method: String, images: Tensor)] {
    let network = model.network
    let count = targets.shape[0]
    let labels: [Int]? =
      if network.classes == 0 { nil } else if let only = options.classIndex {
        Array(repeating: only, count: count)
      } else { try classes?.array(Int.self) ?? (0..<count).map { $0 % network.classes } }
    var (reconstructed, random): ([Tensor], [Tensor]) = ([], [])
    for first in stride(from: 0, to: count, by: 256) {
      guard StopSignal.shouldContinue() else { throw JobStopped() }
      let range = first..<min(first + 256, count)
      let part = try targets.slice(0, range)
      let partClasses = try labels.map { try Tensor(Array($0[range]), shape: [range.count]).to(device) }
      reconstructed.append(try Reconstruction(of: part, by: network, classes: partClasses).levels.last!)
      let codes = range.map { LatentCode(seed: UInt64($0), in: network.codeSpace) }
      random.append(try network.decode(codes, classes: labels.map { Array($0[range]) }, sources: part))
    }
    return [
      ("reconstruction", try .concatenate(reconstructed)), ("random samples", try .concatenate(random)),
    ]
  }

  /// The rows of an interrupted run.
  private static func savedRows(_ folder: URL) throws -> [GuidanceEvaluation.Row] {
    let url = folder.appendingPathComponent("evaluation.json")
    guard FileManager.default.fileExists(atPath: url.path) else { return [] }
    let data = try InputFile.map(url)
    do { return try JSONDecoder().decode([GuidanceEvaluation.Row].self, from: data) } catch {
      throw FileError(
        .invalid, path: url.path, problem: "holds no rows of an evaluation", remedy: "remove it to start again")
    }
  }

  private static func save(_ rows: [GuidanceEvaluation.Row], in folder: URL) throws {
    try AtomicFile.write(JSONEncoder.readable.encode(rows), to: folder.appendingPathComponent("evaluation.json"))
  }

  private static func table(_ rows: [GuidanceEvaluation.Row]) -> String {
    let head = """
      | guide | method | RMSE of A(x) - y | PSNR | SSIM | diversity | runs | images/s |
      |---|---|---|---|---|---|---|---|

      """
    let lines = rows.map { row in
      let rate = row.seconds > 0 ? formatRate(Double(row.images) / row.seconds) : ""
      let cells = [
        row.guide, row.method, formatNumber(row.measurementError, digits: 2),
        row.psnr.map { formatNumber($0, digits: 2) } ?? "exact",
        formatNumber(row.ssim, digits: 3), row.diversity.map { formatNumber($0, digits: 0) } ?? "",
        row.runs > 0 ? "\(row.runs)" : "", rate,
      ]
      return "| " + cells.joined(separator: " | ") + " |\n"
    }
    return head + lines.joined()
  }
}
