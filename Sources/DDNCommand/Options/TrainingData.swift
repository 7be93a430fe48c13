import ArgumentParser
import DDNData
import Foundation

/// The options of the images to train on, of `ddn train` and `ddn ablate`.
struct TrainingData: ParsableArguments {
  @Option(
    help: """
      Zip file, tar archive or folder of images, or another format of ddn help dataset. (default: 9,000 shipped digits)
      """)
  var data: String?

  @Flag(help: "Add mirrored images.")
  var xflip = false

  @Option(
    parsing: .unconditional,
    help:
      "GiB of memory for decoded images; the rest is decoded during training. (default: a quarter of the machine's)",
    transform: { Int(try number(to: 1e6)($0) * Double(1 << 30)) })
  var cache: Int?

  /// The absolute path of the images; nil for the shipped digits.
  var path: String? { data.map { URL(fileURLWithPath: $0).standardizedFileURL.path } }
  var cacheBytes: Int { cache ?? ImageDataset.defaultCacheBytes }
}
