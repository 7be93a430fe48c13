import DDN
import DDNData
import DDNFigures
import DDNFiles
import DDNPictures
import DDNTraining
import Foundation
import Images
import Torch

/// The output folder of commands that draw codes: images/, a data set with dataset.json; codes.txt; and for 9 images or
/// more samples.png, a grid of the first 100, and examples.zip, an archive of them.
struct DrawnImages {
  /// One image to draw.
  struct Job {
    /// Number in the file's name.
    let number: Int
    let entry: CodeList.Entry
  }

  let command: String
  let jobs: [Job]
  let network: NetworkOption
  let model: Model
  /// Path of the condition image; nil for none.
  let conditionImage: String?
  let outdir: String
  let overwrites: Bool
  let hasSubfolders: Bool
  let precision: Precision
  let batch: Int
  /// All ranks draw; rank 0 does everything else.
  var shared = SharedJob(group: nil)

  private func name(_ job: Job) -> String {
    func padded(_ number: Int) -> String { zeroPadded(number, digits: 6) }
    return (hasSubfolders ? "\(padded(job.number / 1000 * 1000))/" : "") + padded(job.number) + ".png"
  }

  private func file(_ job: Job) -> String { "images/\(name(job))" }

  /// Prints what would be done.
  func describe(on device: Device) {
    Terminal.print(
      "would draw \(counted(jobs.count, "image")) with \(network.url.path) into \(URL(fileURLWithPath: outdir).path) on "
        + "\(device)")
  }

  /// Draws all images.
  ///
  /// - Parameters:
  ///   - columns: of samples.png; nil for the usual.
  ///   - device: of the model.
  func write(columns: Int?, device: Device) throws {
    let source = try model.conditionImage(conditionImage, device: device)
    let hasExamples = jobs.count >= 9
    let isContinued = try shared.first { try prepare(hasExamples: hasExamples).isContinued }
    let first = try draw(source, isContinued: isContinued)
    try shared.group?.barrier()
    guard shared.isMain else { return }
    Terminal.print("\(counted(jobs.count, "image")) in \(url("images").path)")
    Terminal.print("codes in \(url("codes.txt").path)")
    guard hasExamples else { return }
    try SampleGrid.draw(first.map(\.bitmap), columns: columns).write(to: url("samples.png"))
    try ImageArchive.write(Array(zip(jobs.map(name), first.map(\.file))), to: url("examples.zip"))
    Terminal.print("the first \(first.count) in \(url("samples.png").path) and \(url("examples.zip").path)")
  }

  /// The URL of an output.
  private func url(_ name: String) -> URL { URL(fileURLWithPath: outdir).appendingPathComponent(name) }

  /// Makes the folder, with the list of codes and labels.
  private func prepare(hasExamples: Bool) throws -> OutputFolder {
    let folder = try OutputFolder(
      URL(fileURLWithPath: outdir), for: identity,
      files: jobs.map(file) + ["codes.txt", "images/dataset.json"]
        + (hasExamples ? ["samples.png", "examples.zip"] : []),
      overwrites: overwrites)
    let lines = jobs.map { CodeList.line(name: name($0), $0.entry.code, classIndex: $0.entry.classIndex) + "\n" }
    try AtomicFile.write(Data(lines.joined().utf8), to: folder.file("codes.txt"))
    try Folder.create(folder.file("images"))
    try AtomicFile.write(
      ImageLabels(labels: model.network.classes > 0 ? jobs.compactMap(\.entry.classIndex) : nil)
        .data(names: jobs.map(name)),
      to: folder.file("images/dataset.json"))
    return folder
  }

  private typealias Drawn = (bitmap: Bitmap, file: Data)

  /// Draws all missing images, and always the first hundred.
  ///
  /// - Returns: the first hundred.
  private func draw(_ source: Tensor?, isContinued: Bool) throws -> [Drawn] {
    StopSignal.listen("stopping; the same command resumes from here; Ctrl-C again after 3 seconds stops at once")
    let drawing = DrawingJob(
      jobs.map(\.entry), by: model.network, conditionImage: source, precision: precision, batchSize: batch)
    let slice = drawing.slice(of: shared.share)
    var progress = ProgressLine(total: slice.count, unit: "images")
    defer { progress.clear() }
    let exampleCount = 100
    var first: [Drawn] = []
    func isNeeded(_ range: Range<Int>) -> Bool {
      range.lowerBound < exampleCount || !isContinued
        || !jobs[range].allSatisfy { FileManager.default.fileExists(atPath: url(file($0)).path) }
    }
    func write(_ range: Range<Int>, _ images: Tensor) throws {
      let pictures = try images.bitmaps()
      let files = try PictureFiles.write(zip(jobs[range], pictures).map { (url(file($0)), $1) })
      first += zip(pictures, files).prefix(exampleCount - first.count).map { ($0, $1) }
      progress.show(range.upperBound - slice.lowerBound)
    }
    try drawing.run(
      share: shared.share, isNeeded: isNeeded, shouldContinue: StopSignal.shouldContinue, write)
    // Of few images, rank 0 draws the first hundred beyond its slice.
    let end = min(exampleCount, jobs.count)
    if shared.isMain {
      for start in stride(from: slice.upperBound, to: end, by: batch) {
        let range = start..<min(start + batch, end)
        try write(range, drawing(range, while: StopSignal.shouldContinue))
      }
    }
    return first
  }

  /// Identifies the job by all that determines its images.
  private var identity: OutputFolder.Job {
    var options = [
      "network": network.identity, "precision": precision.rawValue,
      "codes": FileIdentity.checksum(of: jobs.map { "\(file($0)) \($0.entry.code) \($0.entry.classIndex ?? 0)" }),
    ]
    if let conditionImage {
      options["conditionImage"] = FileIdentity.text(of: URL(fileURLWithPath: conditionImage))
    }
    return .init(command: command, options: options)
  }
}
