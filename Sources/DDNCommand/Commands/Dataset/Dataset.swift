import ArgumentParser
import DDNData

struct Dataset: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make, fetch and inspect data sets.",
    discussion: """
      A data set is a zip file, a tar archive or a folder of images, all gray or all RGB, square with a side of a power of two. Classes \
      are in dataset.json, {"labels": [["00000/img00000000.png", 6], ...]}, the layout of the EDM dataset tool; without \
      that file they are the names of the folders that the images lie in, numbers in the order of numbers. MNIST's and \
      EMNIST's idx files, NumPy's npz and npy files, and CIFAR-10 and CIFAR-100 as their authors publish them, packed or \
      unpacked, can be used where a data set can.

      Images are PNG, JPEG, WebP, GIF, TIFF, AVIF, HEIC, JPEG 2000 or portable pixmaps, as far as this machine's libvips reads \
      them. Transparent becomes white, and of an animation the first frame is taken.
      """,
    subcommands: [ConvertDataset.self, FetchDataset.self, InspectDataset.self])
}

extension DatasetSplit: ExpressibleByArgument {}
