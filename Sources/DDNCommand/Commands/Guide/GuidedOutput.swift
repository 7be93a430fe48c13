import DDN
import DDNData
import DDNFigures
import DDNFiles
import DDNGuidance
import DDNPictures
import DDNTraining
import Foundation
import Images
import Torch

/// The files of `ddn guide`.
struct GuidedOutput {
  let mix: MixedGuide
  let job: GuidedJob
  let targets: TargetImages?
  let drawsLevels: Bool

  /// What guided.png shows at most.
  private static let shownTargets = 16
  private var shownSamples: Int { targets == nil ? 100 : 12 }

  private var targetCount: Int { targets?.count ?? 1 }

  /// All that may be written.
  var files: [String] {
    (0..<job.count).map(file(ofSample:)) + conditionFiles.joined()
      + ["images/dataset.json", "codes.txt", "guide.json", "guided.png"] + (drawsLevels ? ["levels.png"] : [])
  }

  /// Samples are in the order of targets.
  private func file(ofSample number: Int) -> String {
    let seed = zeroPadded(Int(job.seeds[number % job.seeds.count]), digits: 6)
    return targetCount > 1
      ? "images/\(zeroPadded(number / job.seeds.count, digits: 6))/\(seed).png" : "images/\(seed).png"
  }

  /// Of each target, what each guide could draw.
  private var conditionFiles: [[String]] {
    (0..<targetCount).map { target in
      mix.parts.indices.map { part in
        let number = mix.parts.count > 1 ? "-\(part + 1)" : ""
        return "conditions/\(zeroPadded(target, digits: 6))\(number).png"
      }
    }
  }

  func write(into folder: OutputFolder, network: String, options: GuideSamples) throws {
    StopSignal.listen("stopping; Ctrl-C again after 3 seconds stops at once")
    var progress = ProgressLine(total: job.count, unit: "images")
    defer { progress.clear() }
    var (records, codeLines, shown): ([Record.Image], String, Shown) = ([], "", Shown())
    var labels: [Int] = []
    var diversity = SampleDiversity()
    try job.run(shouldContinue: StopSignal.shouldContinue) { range, result in
      let pictures = try result.samples.images.bitmaps()
      _ = try PictureFiles.write(zip(range, pictures).map { (folder.file(file(ofSample: $0)), $1) })
      try writeConditions(range, result, into: folder, &shown)
      labels += mix.classes(for: result.batch) ?? result.classes ?? []
      for (place, number) in range.enumerated() {
        let code = result.samples.codes[place]
        if number % job.seeds.count == 0 { diversity.finishTarget() }
        diversity.add(pictures[place])
        let scores = zip(mix.parts, result.samples.scores).map { Record.Score(guide: $0.text, score: $1[place]) }
        records.append(
          .init(
            file: file(ofSample: number), target: targets?.name(number / job.seeds.count),
            seed: result.batch.seeds[place],
            class: result.classes?[place], code: code.description, scores: scores))
        codeLines +=
          CodeList.line(
            name: String(file(ofSample: number).dropFirst("images/".count)), code, classIndex: result.classes?[place])
          + "\n"
        if number / job.seeds.count < Self.shownTargets, number % job.seeds.count < shownSamples {
          shown.samples.append(pictures[place])
          if drawsLevels, shown.levels.count < Self.shownTargets {
            shown.levels.append(try result.samples.levels.map { try $0.slice(0, place..<place + 1) })
          }
        }
      }
      progress.show(range.upperBound)
    }
    progress.clear()
    diversity.finishTarget()
    let names = records.map { String($0.file.dropFirst("images/".count)) }
    try AtomicFile.write(
      ImageLabels(labels: labels.isEmpty ? nil : labels).data(names: names), to: folder.file("images/dataset.json"))
    try AtomicFile.write(Data(codeLines.utf8), to: folder.file("codes.txt"))
    try AtomicFile.write(
      Record(
        network: network, guides: mix.parts.map { .init(guide: $0.text, weight: $0.weight) },
        combination: mix.combination.rawValue, top: job.sampler.top.description, beams: options.beams,
        candidates: options.candidates, diversity: diversity.mean, images: records
      ).json(), to: folder.file("guide.json"))
    try draw(shown).write(to: folder.file("guided.png"))
    if drawsLevels { try drawLevels(shown).write(to: folder.file("levels.png")) }
    Terminal.print("\(counted(job.count, "image")) in \(folder.file("images").path)")
    Terminal.print("scores in \(folder.file("guide.json").path), codes in \(folder.file("codes.txt").path)")
    if let mean = diversity.mean {
      Terminal.print(
        "diversity \(Int(mean.rounded())): the mean squared difference of two samples, in gray levels squared")
    }
    Terminal.print(folder.file("guided.png").path)
    if drawsLevels { Terminal.print(folder.file("levels.png").path) }
  }

  /// What guided.png and levels.png show.
  private struct Shown {
    /// Rows of a target and what each guide knows of it.
    var conditions: [[Bitmap]] = []
    var labels: [String] = []
    var samples: [Bitmap] = []
    var levels: [[Tensor]] = []
  }

  /// Of the targets whose first sample is in the batch.
  private func writeConditions(
    _ range: Range<Int>, _ result: GuidedJob.Result, into folder: OutputFolder, _ shown: inout Shown
  ) throws {
    let first = range.enumerated().filter { $0.element % job.seeds.count == 0 }.map(\.offset)
    guard !first.isEmpty else { return }
    let device = result.samples.images.device
    let batch = GuideBatch(
      targets: try result.batch.targets?.gathered(Tensor(first, shape: [first.count]).to(device)),
      targetNumbers: first.map { result.batch.targetNumbers[$0] }, seeds: first.map { result.batch.seeds[$0] })
    let size = result.samples.images.shape
    var columns: [[Bitmap]] = try batch.targets.map { [try $0.bitmaps()] } ?? []
    for (part, picture) in try mix.pictures(for: batch).enumerated() {
      guard let picture else { continue }
      let bitmaps = try picture.expanded([first.count] + picture.shape[1...])
        .resizedArea(height: size[2], width: size[3]).bitmaps()
      columns.append(bitmaps)
      let files = zip(batch.targetNumbers, bitmaps).map { (folder.file(conditionFiles[$0][part]), $1) }
      _ = try PictureFiles.write(files)
    }
    for (place, number) in batch.targetNumbers.enumerated() where number < Self.shownTargets {
      shown.conditions.append(columns.map { $0[place] })
      shown.labels = columns.indices.map { $0 == 0 && batch.targets != nil ? "target" : "known" }
    }
  }

  private func draw(_ shown: Shown) throws -> Bitmap {
    let zoom = max(1, 64 / shown.samples[0].width)
    guard let first = shown.conditions.first, !first.isEmpty else {
      return try SampleGrid.draw(shown.samples, zoom: zoom)
    }
    let columns = min(job.seeds.count, shownSamples)
    var cells: [Bitmap] = []
    for (row, known) in shown.conditions.enumerated() {
      cells += known + shown.samples[row * columns..<(row + 1) * columns]
    }
    let seeds = job.seeds.prefix(columns).map { "\($0)" }
    return try Grid(
      columns: first.count + columns, gap: 2, zoom: zoom, columnLabels: shown.labels + seeds
    ).draw(cells)
  }

  private func drawLevels(_ shown: Shown) throws -> Bitmap {
    let levels = Reconstruction.shownLevels(of: shown.levels[0].count)
    let side = shown.samples[0].width
    let cells = try shown.levels.flatMap { sample in
      try levels.map { try sample[$0].resizedArea(height: side, width: side).bitmaps()[0] }
    }
    return try Grid(
      columns: levels.count, gap: 2, zoom: max(1, 64 / side), columnLabels: levels.map { "\($0 + 1)" }
    ).draw(cells)
  }

  /// `guide.json`.
  private struct Record: Encodable {
    struct Guide: Encodable {
      let guide: String
      let weight: Double
    }
    struct Score: Encodable {
      let guide: String
      let score: Double
    }
    struct Image: Encodable {
      let file: String
      let target: String?
      let seed: UInt64
      let `class`: Int?
      let code: String
      let scores: [Score]
    }
    let network: String
    let guides: [Guide]
    let combination: String
    let top: String
    let beams: Int
    let candidates: Int
    /// In gray levels squared; absent for one sample a target.
    let diversity: Double?
    let images: [Image]

    func json() throws -> Data {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      return try encoder.encode(self) + Data("\n".utf8)
    }
  }
}
