import ArgumentParser
import DDN
import DDNData
import DDNFigures
import DDNFiles
import DDNTraining
import Foundation
import Images
import Torch

struct Reconstruct: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Find the codes of images, and draw what they keep of them.",
    discussion: """
      At each level the image nearest to the target is chosen. Prints the error of every level (mean square, in units \
      of [-1, 1]), writes the codes and a picture: target, then every level's choice.

      Examples:
        ddn reconstruct                                     digits that are part of ddn and that it does not train on
        ddn reconstruct --network runs/00000-mnist --data mnist --count 10000
        ddn reconstruct --network runs/00001-faces --data faces-test.zip
        ddn reconstruct my-digit.png                        your own picture, white on black
      """)

  @Argument(help: "Image files; none for test digits.")
  var images: [String] = []

  @OptionGroup var network: NetworkOption

  @Option(
    help: """
      Zip file or folder of images, or of MNIST's idx files, whose test digits are used. (default: the last 1000 digits \
      that are part of ddn)
      """)
  var data: String?

  @Option(help: "How 28x28 digits become 32x32: bilinear or padded. (default: bilinear)")
  var resize: DigitDataset.Resize?

  @Option(help: "How many of the test images. (default: 1000, or all when there are fewer)")
  var count: Int?

  @Option(help: "How many of them the picture shows.")
  var rows = 16

  @Option(help: "Folder for codes.txt and reconstructions.png.")
  var outdir = "reconstructed"

  @Option(help: "Images at a time.")
  var batch = 256

  @OptionGroup(title: "Machine") var machine: MachineOptions

  func validate() throws {
    if let count, count < 1 { throw ValidationError("--count \(count) is not at least 1") }
    if !images.isEmpty, data != nil || resize != nil || count != nil {
      throw ValidationError("--data, --resize and --count are for test digits, not for image files")
    }
    if !(1...200).contains(rows) { throw ValidationError("--rows \(rows) is not within 1...200") }
    if !(1...1_000_000).contains(batch) { throw ValidationError("--batch \(batch) is not within 1...1000000") }
  }

  func run() throws {
    let device = try machine.start()
    let model = try network.load(device: device)
    let source = try loadTargets(model, device: device)
    let folder = URL(fileURLWithPath: outdir)
    try Folder.create(folder)

    StopSignal.listen("stopping after this batch; once more to stop at once")
    var progress = ProgressLine(total: source.count, unit: "images")
    let start = ContinuousClock.now
    var (codes, errorSums): ([LatentCode], [Double]) = ([], [])
    let batch = max(batch, min(rows, source.count))  // The picture shows rows of the first batch.
    for place in stride(from: 0, to: source.count, by: batch) {
      let indices = Array(place..<min(place + batch, source.count))
      let (targets, classes) = try source.batch(indices)
      let result = try withPrecision(machine.precision ?? .float32, on: device) {
        try Reconstruction(of: targets, by: model.network, classes: classes)
      }
      if place == 0 { try draw(targets, result, folder) }
      codes += result.codes
      let sums = result.errors.map { $0.reduce(0, +) }
      errorSums = errorSums.isEmpty ? sums : zip(errorSums, sums).map(+)
      progress.show(codes.count, rate: Double(codes.count) / ((ContinuousClock.now - start) / .seconds(1)))
      if StopSignal.shouldStop() { throw Interrupted() }
    }
    progress.clear()

    let text = codes.map { "\($0)\n" }.joined()
    try AtomicFile.write(Data(text.utf8), to: folder.appendingPathComponent("codes.txt"))
    let errors = errorSums.map { $0 / Double(codes.count) }
    for (level, error) in errors.enumerated() { Terminal.print("level \(level + 1)  error \(formatNumber(error))") }
    let bits = LatentCode.bits(nodesOfLevels: model.network.nodesOfLevels)
    Terminal.print(
      "\(codes.count) images, \(formatNumber(bits, digits: 0)) bits each, \(Set(codes).count) different codes: "
        + folder.appendingPathComponent("codes.txt").path)
    Terminal.print("picture: \(folder.appendingPathComponent("reconstructions.png").path)")
  }

  private func draw(_ targets: Tensor, _ result: Reconstruction, _ folder: URL) throws {
    let shown = min(rows, targets.shape[0])
    let codes = result.codes.prefix(shown)
    try ReconstructionGrid.draw(
      targets: targets.slice(0, 0..<shown), levels: result.levels.map { try $0.slice(0, 0..<shown) },
      codes: Array(codes)
    ).write(to: folder.appendingPathComponent("reconstructions.png"))
  }

  private func loadTargets(_ model: Model, device: Device) throws -> Targets {
    if images.isEmpty {
      let resize = resize ?? .bilinear
      let dataset =
        try data.map { path in
          let images = try ImageDataset(openImages(URL(fileURLWithPath: path), split: .test, resize: resize))
          try model.configuration.check(images, path: path)
          return images
        } ?? ImageDataset(TrainingOptions.shippedDigits(resize: resize).unseen)
      let count = count ?? min(1000, dataset.count)
      guard count <= dataset.count else { throw UsageError("--count \(count): there are \(dataset.count) test images") }
      let tensors = try TrainingImages(dataset, device: device)
      return Targets(count: count) { try tensors.batch($0) }
    }
    let shape = model.network.imageShape
    let bitmaps = try images.map { path in
      try PNG.read(URL(fileURLWithPath: path), channels: shape[0] == 1 ? .gray : .rgb)
        .resized(width: shape[2], height: shape[1])
    }
    return Targets(count: bitmaps.count) { indices in
      (try .concatenate(indices.map { try bitmaps[$0].tensor() }).to(device), nil)
    }
  }

  /// Images to reconstruct, batch by batch.
  private struct Targets {
    let count: Int
    let batch: ([Int]) throws -> (images: Tensor, classes: Tensor?)
  }
}
