import ArgumentParser
import DDNData
import DDNFiles
import Foundation
import Images

struct ConvertDataset: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Convert images of any size and format to a data set.",
    discussion: """
      Writes PNG files and dataset.json to a zip file if DEST ends in .zip, else to a folder. Output is deterministic. \
      Unusable images are listed and skipped. Transparency becomes white; animations give their first frame. \
      dataset.json also stores class names and how digits were resized.

      Examples:
        ddn dataset convert photos photos64.zip --resolution 64x64 --transform center-crop
        ddn dataset convert cifar-10-binary.tar.gz cifar10-train.zip
        ddn dataset convert cifar-10-binary.tar.gz cifar10-test.zip --split test
        ddn dataset convert mnist mnist32.zip
      """)

  @Argument(help: "Folder or archive (zip, tar) of images, CIFAR, packed or unpacked, MNIST's idx files, or npz.")
  var source: String

  @Argument(help: "Zip file or folder to create.")
  var dest: String

  @Option(help: "Size of the images, such as 64x64 or 64; a power of two.", transform: parseResolution)
  var resolution: Resolution?

  @Option(
    help: .init(
      """
      center-crop: the largest centered square. center-crop-wide: the aspect ratio of --resolution, such as 256x192, \
      padded with black to a square. (default: stretch)
      """))
  var transform: ImageTransform.Crop?

  @Option(help: "Resampling filter: lanczos or box.")
  var filter: ResamplingFilter = .lanczos

  @Option(help: "gray or rgb. (default: the source's)")
  var channels: Channels?

  @Option(help: "Maximum number of images, from the first.")
  var maxImages: Int?

  @Option(help: "Split of MNIST or CIFAR: train or test.")
  var split: DatasetSplit = .train

  @Option(help: "Resizing of 28x28 digits to 32x32: bilinear, the default of ddn train, or padded.")
  var resize: DigitDataset.Resize = .bilinear

  @Flag(help: "Fail at the first unusable image.")
  var strict = false

  @Flag(name: [.customShort("n"), .long], help: "Print what would be done and stop.")
  var dryRun = false

  func validate() throws {
    if let maxImages, maxImages < 1 { throw ValidationError("--max-images \(maxImages) is not at least 1") }
    if transform != nil && resolution == nil { throw ValidationError("--transform needs a --resolution") }
    if let error = imageTransform?.validationError { throw ValidationError("--resolution: \(error)") }
  }

  private var imageTransform: ImageTransform? {
    resolution.map { ImageTransform(width: $0.width, height: $0.height, crop: transform, filter: filter) }
  }

  func run() throws {
    let images = try openImages(URL(fileURLWithPath: source), split: split, resize: resize)
    let conversion = DatasetConversion(
      transform: imageTransform, channels: channels?.choice ?? .asStored, maxImages: maxImages, isStrict: strict)
    let count = conversion.count(of: images)
    if dryRun {
      let size = imageTransform.map { " at \($0.width) x \($0.width)" } ?? ""
      Terminal.print("would convert \(count) images of \(source)\(size) to \(dest)")
      return
    }
    Terminal.printNotes(images.notes)
    StopSignal.listen("stopping; nothing is written; Ctrl-C again after 3 seconds stops at once")
    var progress = ProgressLine(total: count, unit: "images")
    let start = ContinuousClock.now
    func elapsed() -> Double { (ContinuousClock.now - start) / .seconds(1) }
    let report: DatasetConversion.Report
    do {
      report = try conversion.write(
        images, to: URL(fileURLWithPath: dest), shouldStop: StopSignal.shouldStop,
        progress: { progress.show($0) })
    } catch is DatasetConversion.Stopped {
      progress.clear()
      throw Interrupted()
    }
    progress.clear()
    for error in report.skipped { Terminal.printError("skipped \(error)") }
    if let note = noContrastNote(report.constant, of: report.images) { Terminal.printError("note: \(note)") }
    let skipped = report.skipped.isEmpty ? "" : ", \(report.skipped.count) skipped"
    Terminal.print(
      "\(dest): \(report.images) images, \(report.side) x \(report.side) \(report.channels == 1 ? "gray" : "RGB")\(skipped), "
        + "\(Int(Double(count) / elapsed())) images/s")
  }

  struct Resolution {
    let width: Int
    let height: Int
  }

  enum Channels: String, ExpressibleByArgument, CaseIterable {
    case gray
    case rgb

    var choice: ChannelChoice { self == .gray ? .gray : .rgb }
  }
}

extension ImageTransform.Crop: ExpressibleByArgument {}
extension ResamplingFilter: ExpressibleByArgument {}

/// "64x64", EDM's "64,64", or "64" for a square.
@Sendable private func parseResolution(_ text: String) throws -> ConvertDataset.Resolution {
  let sides = text.split(omittingEmptySubsequences: false) { $0 == "x" || $0 == "," }.map { Int($0) }
  guard (1...2).contains(sides.count), let width = sides[0], let height = sides.last! else {
    throw ValidationError("'\(text)' is neither WIDTHxHEIGHT nor the side of a square")
  }
  return .init(width: width, height: height)
}
