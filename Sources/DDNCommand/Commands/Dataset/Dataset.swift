import ArgumentParser
import DDNData

struct Dataset: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Convert, fetch and inspect data sets.",
    discussion: """
      A data set is a zip file, a tar archive or a folder of square images, all gray or all RGB, with a side of a \
      power of two. Classes are in dataset.json, {"labels": [["00000/img00000000.png", 6], ...]}, the layout of the \
      EDM dataset tool; without that file they are the names of the images' folders, in numerical order if all are \
      numbers. MNIST's and EMNIST's idx files, NumPy's npz and npy files, and the binary versions of CIFAR-10 and \
      CIFAR-100, packed or unpacked, are also accepted.

      Images are PNG, JPEG, WebP, GIF, TIFF, AVIF, HEIC, JPEG 2000 or portable pixmaps, as supported by the installed \
      libvips. Transparency becomes white; animations give their first frame.
      """,
    subcommands: [ConvertDataset.self, FetchDataset.self, InspectDataset.self])
}

extension DatasetSplit: ExpressibleByArgument {}
