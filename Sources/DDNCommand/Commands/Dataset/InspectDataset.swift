import ArgumentParser
import DDNData
import DDNFigures
import DDNFiles
import Foundation
import Images

struct InspectDataset: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Summarize a data set, and draw some of its images.",
    discussion: """
      Prints counts, sizes, classes, each channel's mean and standard deviation (0 is black, 1 is white), and whether \
      ddn train would refuse the data set. Unreadable images are listed, and the command then fails. Transparency \
      counts as white; animations give their first frame.

      Examples:
        ddn dataset inspect cifar10-train.zip
        ddn dataset inspect mnist --split test --sheet digits.png
      """)

  @Argument(help: "Folder or archive (zip, tar) of images, CIFAR, packed or unpacked, MNIST's idx files, or npz.")
  var data: String

  @Option(help: "Split of MNIST or CIFAR: train or test.")
  var split: DatasetSplit = .train

  @Option(help: "PNG file to draw images to: a row per class, or the first 100. (default: none)")
  var sheet: String?

  @Flag(help: "Overwrite the file of --sheet.")
  var overwrite = false

  func run() throws {
    let picture = sheet.map { URL(fileURLWithPath: $0) }
    if let picture {
      guard picture.pathExtension.lowercased() == "png" else {
        throw UsageError("--sheet \(sheet!): the picture is a PNG file; name it .png")
      }
      try checkOutput(picture.path, overwrites: overwrite)
    }
    let images = try openImages(URL(fileURLWithPath: data), split: split)
    StopSignal.listen("stopping; Ctrl-C again after 3 seconds stops at once")
    var progress = ProgressLine(total: images.count, unit: "images")
    let summary = try DatasetSummary(images) { done in
      progress.show(done)
      if StopSignal.shouldStop() { throw Interrupted() }
    }
    progress.clear()
    Terminal.printNotes(images.notes)
    if let note = noContrastNote(summary.constant, of: summary.count) { Terminal.printError("note: \(note)") }
    print(summary, classNames: images.classNames)
    for line in images.preparation { Terminal.print("preparation   \(line)") }
    if let problem = summary.trainingProblem { Terminal.print("training      refused: \(problem)") }
    if let picture, !summary.kinds.isEmpty {
      try ContactSheet.draw(images).write(to: picture)
      Terminal.print("picture       \(picture.path)")
    }
    guard let first = summary.unreadable.first else { return }
    for error in summary.unreadable.dropFirst() { Terminal.print("unreadable    \(error)") }
    let others = summary.unreadable.count - 1
    throw FileError(
      .invalid, path: first.path, problem: first.problem + andOthers(others, "file"),
      remedy: "remove bad images with ddn dataset convert")
  }

  private func print(_ summary: DatasetSummary, classNames: [String]?) {
    func numbers(_ values: [Double]) -> String { values.map { formatNumber($0) }.joined(separator: " ") }
    Terminal.print("images        \(summary.count)")
    for (kind, count) in summary.kinds {
      Terminal.print("size          \(kind.width) x \(kind.height) \(kind.channels == 1 ? "gray" : "RGB"): \(count)")
    }
    Terminal.print("mean          \(numbers(summary.means))")
    Terminal.print("deviation     \(numbers(summary.standardDeviations))")
    guard let counts = summary.classCounts else { return Terminal.print("classes       none") }
    let used = counts.enumerated().filter { $0.element > 0 }
    Terminal.print("classes       \(used.count), 0...\(counts.count - 1)")
    for (label, count) in used {
      Terminal.print("class         \(classNames.map { "\(label) (\($0[label]))" } ?? String(label)): \(count)")
    }
  }
}
