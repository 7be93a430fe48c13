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

/// The files of `ddn guide`. All ranks draw samples into the folder; rank 0 does everything else.
struct GuidedOutput {
  let mix: MixedGuide
  let job: GuidedJob
  let targets: TargetImages?
  let imageShape: [Int]
  let drawsLevels: Bool
  let folder: URL
  let shared: SharedJob

  /// What guided.png shows at most.
  private static let shownTargets = 16
  private var shownSamples: Int { targets == nil ? 100 : 12 }
  /// Columns of guided.png.
  private var columns: Int { min(job.seeds.count, shownSamples) }

  private var targetCount: Int { targets?.count ?? 1 }

  /// All that may be written.
  var files: [String] {
    (0..<job.count).map(file(ofSample:)) + conditionFiles.joined()
      + ["images/dataset.json", "codes.txt", "guide.json", "guided.png"] + (drawsLevels ? ["levels.png"] : [])
  }

  private func url(_ name: String) -> URL { folder.appendingPathComponent(name) }

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

  /// Whether levels.png shows a sample: of the first in guided.png.
  private func showsLevels(ofSample number: Int) -> Bool {
    let (row, column) = number.quotientAndRemainder(dividingBy: job.seeds.count)
    return drawsLevels && column < columns && row * columns + column < Self.shownTargets
  }

  func write(network: String, options: GuideSamples) throws {
    StopSignal.listen("stopping; Ctrl-C again after 3 seconds stops at once")
    let slice = job.slice(of: shared.share)
    var progress = ProgressLine(total: slice.count, unit: "images")
    defer { progress.clear() }
    var part = Part()
    try job.run(share: shared.share, shouldContinue: StopSignal.shouldContinue) { range, result in
      let pictures = try result.samples.images.bitmaps()
      try PictureFiles.write(zip(range, pictures).map { (url(file(ofSample: $0)), $1) })
      part.labels += mix.classes(for: result.batch) ?? result.classes ?? []
      part.images += range.enumerated().map { place, number in
        GuideRecord.Image(
          file: file(ofSample: number), target: targets?.name(number / job.seeds.count),
          seed: result.batch.seeds[place], class: result.classes?[place],
          code: result.samples.codes[place].description,
          scores: zip(mix.parts, result.samples.scores).map { .init(guide: $0.text, score: $1[place]) })
      }
      for (place, number) in range.enumerated() where showsLevels(ofSample: number) {
        part.levels.append(try levelCells(result.samples.levels.map { try $0.slice(0, place..<place + 1) }))
      }
      progress.show(range.upperBound - slice.lowerBound)
    }
    progress.clear()
    // Every rank's samples are written when rank 0 has their records.
    let parts = try shared.gather(PropertyListEncoder().encode(part))
    try shared.finish()
    guard shared.isMain else { return }
    part = Part()
    for data in parts { part.add(try PropertyListDecoder().decode(Part.self, from: data)) }
    try writeReport(part, network: network, options: options)
  }

  private func writeReport(_ part: Part, network: String, options: GuideSamples) throws {
    func name(_ image: GuideRecord.Image) -> String { String(image.file.dropFirst("images/".count)) }
    try AtomicFile.write(
      ImageLabels(labels: part.labels.isEmpty ? nil : part.labels).data(names: part.images.map(name)),
      to: url("images/dataset.json"))
    let lines = try part.images.map { image in
      CodeList.line(
        name: name(image), try LatentCode(parsing: image.code, in: job.sampler.network.codeSpace),
        classIndex: image.class) + "\n"
    }
    try AtomicFile.write(Data(lines.joined().utf8), to: url("codes.txt"))
    let conditions = try writeConditions()
    let (samples, diversity) = try readSamples()
    try AtomicFile.write(
      GuideRecord(
        network: network, guides: mix.parts.map { .init(guide: $0.text, weight: $0.weight) },
        combination: mix.combination.rawValue, top: job.sampler.top.description, beams: options.beams,
        candidates: options.candidates, diversity: diversity, images: part.images
      ).json(), to: url("guide.json"))
    try draw(samples, conditions).write(to: url("guided.png"))
    if drawsLevels {
      let levels = try part.levels.map { try $0.map { try PNG.decode($0) } }
      try drawLevels(levels).write(to: url("levels.png"))
    }
    Terminal.print("\(counted(job.count, "image")) in \(url("images").path)")
    Terminal.print("scores in \(url("guide.json").path), codes in \(url("codes.txt").path)")
    if let diversity {
      Terminal.print(
        "diversity \(Int(diversity.rounded())): the mean squared difference of two samples, in gray levels squared")
    }
    Terminal.print(url("guided.png").path)
    if drawsLevels { Terminal.print(url("levels.png").path) }
  }

  /// Rows of a target and what each guide knows of it.
  private struct Conditions {
    var labels: [String] = []
    var rows: [[Bitmap]] = []
  }

  /// Writes what each guide knows of each target.
  ///
  /// - Returns: of the first targets.
  private func writeConditions() throws -> Conditions {
    var shown = Conditions()
    for first in stride(from: 0, to: targetCount, by: GuidedJob.defaultBatch) {
      guard StopSignal.shouldContinue() else { throw JobStopped() }
      let numbers = Array(first..<min(first + GuidedJob.defaultBatch, targetCount))
      let images = try targets?.source.images(in: first..<first + numbers.count).images
      let batch = GuideBatch(
        targets: images, targetNumbers: numbers, seeds: numbers.map { _ in job.seeds[0] })
      var columns: [[Bitmap]] = try images.map { [try $0.bitmaps()] } ?? []
      for (part, picture) in try mix.pictures(for: batch).enumerated() {
        guard let picture else { continue }
        let bitmaps = try picture.expanded([numbers.count] + picture.shape[1...])
          .resizedArea(height: imageShape[1], width: imageShape[2]).bitmaps()
        columns.append(bitmaps)
        try PictureFiles.write(zip(numbers, bitmaps).map { (url(conditionFiles[$0][part]), $1) })
      }
      for (place, number) in numbers.enumerated() where number < Self.shownTargets {
        shown.rows.append(columns.map { $0[place] })
        shown.labels = columns.indices.map { $0 == 0 && targets != nil ? "target" : "known" }
      }
    }
    return shown
  }

  /// Reads all samples, whichever rank drew them.
  ///
  /// - Returns: those of guided.png, and the samples' diversity.
  private func readSamples() throws -> (shown: [Bitmap], diversity: Double?) {
    var diversity = SampleDiversity()
    var shown: [Bitmap] = []
    for number in 0..<job.count {
      let (row, column) = number.quotientAndRemainder(dividingBy: job.seeds.count)
      let sample = try PNG.read(url(file(ofSample: number)))
      if column == 0 { diversity.finishTarget() }
      diversity.add(sample)
      if row < Self.shownTargets, column < columns { shown.append(sample) }
    }
    diversity.finishTarget()
    return (shown, diversity.mean)
  }

  private func draw(_ samples: [Bitmap], _ conditions: Conditions) throws -> Bitmap {
    let zoom = max(1, 64 / samples[0].width)
    guard let first = conditions.rows.first, !first.isEmpty else { return try SampleGrid.draw(samples, zoom: zoom) }
    var cells: [Bitmap] = []
    for (row, known) in conditions.rows.enumerated() {
      cells += known + samples[row * columns..<(row + 1) * columns]
    }
    let seeds = job.seeds.prefix(columns).map { "\($0)" }
    return try Grid(
      columns: first.count + columns, gap: 2, zoom: zoom, columnLabels: conditions.labels + seeds
    ).draw(cells)
  }

  /// Of one sample, the shown levels as PNG files.
  private func levelCells(_ levels: [Tensor]) throws -> [Data] {
    try Reconstruction.shownLevels(of: levels.count).map { level in
      try PNG.encode(levels[level].resizedArea(height: imageShape[1], width: imageShape[2]).bitmaps()[0])
    }
  }

  private func drawLevels(_ samples: [[Bitmap]]) throws -> Bitmap {
    let levels = Reconstruction.shownLevels(of: job.sampler.network.codeSpace.levels.count)
    return try Grid(
      columns: levels.count, gap: 2, zoom: max(1, 64 / imageShape[2]), columnLabels: levels.map { "\($0 + 1)" }
    ).draw(samples.flatMap { $0 })
  }

  /// What one rank has drawn.
  private struct Part: Codable {
    var images: [GuideRecord.Image] = []
    var labels: [Int] = []
    /// Of every sample in levels.png, PNG files.
    var levels: [[Data]] = []

    mutating func add(_ other: Part) {
      images += other.images
      labels += other.labels
      levels += other.levels
    }
  }
}
