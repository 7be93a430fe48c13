import ArgumentParser
import DDNData
import DDNEvaluation
import Foundation
import Torch

struct Fid: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compute Frechet distances of images to a data set by the usual protocol.",
    discussion: """
      ref writes the mean and covariance of a data set's features, calc compares images with them. The distance is called \
      FID only with Inception v3, whose weights are not shipped; a classifier's distance compares with distances of the \
      same classifier alone. Gray images are repeated to three channels.

      More measures, and models without image files: ddn evaluate
      """,
    subcommands: [FidReference.self, FidCalculate.self])
}

struct FidReference: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ref",
    abstract: "Write the mean and covariance of a data set's features.",
    discussion: """
      Writes an npz with mu and sigma in float64, as EDM's and pytorch-fid's are, and the detector's checksum, so that \
      another detector's features are refused.

      Examples:
        ddn fid ref --data cifar10-train.zip --dest cifar10.npz --detector pt_inception-2015-12-05-6726825d.pth
        ddn fid ref --data mnist --split train --dest mnist.npz --detector digits
      """)

  @Option(help: "Images, in a format of ddn help dataset.", completion: .file())
  var data: String

  @Option(help: "Which half of MNIST and CIFAR.")
  var split: DatasetSplit = .train

  @Option(help: "The npz file to write.", completion: .file())
  var dest: String

  @OptionGroup var detector: DetectorOption

  @Flag(help: "Overwrite the file.")
  var overwrite = false

  @OptionGroup var features: FeatureOptions

  @OptionGroup(title: "Machine") var machine: MachineOptions

  func run() throws {
    let (shared, device) = try machine.startShared()
    _ = try shared.first {
      try checkOutput(dest, overwrites: overwrite)
      return true
    }
    let network = try detector.load(device)
    let images = try FileImages(URL(fileURLWithPath: data), split: split)
    StopSignal.listen("stopping; the same command resumes from here; Ctrl-C again after 3 seconds stops at once")
    let found = try withPrecision(machine.precision ?? .float32, on: device) {
      try features.cache(of: shared).features(of: images, by: network)
    }
    try shared.finish()
    guard let found else { return }
    try ReferenceStatistics(found.statistics(), detector: network.identity, path: dest)
      .write(to: URL(fileURLWithPath: dest))
    Terminal.print(
      "\(dest): statistics of \(counted(found.count, "image")), \(network.featureCount) features of "
        + network.identity.name)
  }
}

struct FidCalculate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calc",
    abstract: "Print the Frechet distance of images to a reference.",
    discussion: """
      Where there are more images than --num, a shuffle by --seed picks them, the same ones as numpy's RandomState and so as \
      the original's; fewer are an error. Reads npz files of this command, of EDM, ADM and pytorch-fid, and EDM2's pkl.

      Examples:
        ddn fid calc --images generated/images --ref cifar10.npz --detector pt_inception-2015-12-05-6726825d.pth
        ddn generate --seeds 0-999 && ddn fid calc --images generated/images --ref mnist --detector digits --num 1000
      """)

  @Option(help: "Images to measure, in a format of ddn help dataset.", completion: .file())
  var images: String

  @Option(help: "Statistics, or images of a data set.", completion: .file())
  var ref: String

  @OptionGroup var detector: DetectorOption

  @Option(
    parsing: .unconditional, help: "Number of images to measure. (default: \(DistanceReport.usualImages))",
    transform: wholeNumber(in: 2...10_000_000))
  var num = DistanceReport.usualImages

  @Option(parsing: .unconditional, help: "Seed of the images picked. (default: 0)", transform: seedNumber)
  var seed: UInt64 = 0

  @Option(help: "Which half of MNIST and CIFAR, where they are the reference.")
  var split: DatasetSplit = .train

  @OptionGroup var features: FeatureOptions

  @OptionGroup(title: "Machine") var machine: MachineOptions

  func run() throws {
    let (shared, device) = try machine.startShared()
    let network = try detector.load(device)
    let source = try FileImages(URL(fileURLWithPath: images), number: num, seed: seed)
    StopSignal.listen("stopping; the same command resumes from here; Ctrl-C again after 3 seconds stops at once")
    let cache = features.cache(of: shared)
    let (reference, found) = try withPrecision(machine.precision ?? .float32, on: device) {
      (try cache.reference(ref, network, split: split), try cache.features(of: source, by: network))
    }
    try shared.finish()
    guard let reference, let found else { return }
    let report = try DistanceReport(found, reference, detector: network.identity, measures: [.frechet])
    for line in report.lines { Terminal.print(line) }
  }
}
