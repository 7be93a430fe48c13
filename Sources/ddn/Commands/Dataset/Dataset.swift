import ArgumentParser
import DDNData

struct Dataset: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make, fetch and inspect data sets.",
    discussion: """
      A data set is a zip file or a folder of images, all gray or all RGB, square with a side of a power of two. Classes \
      are in dataset.json, {"labels": [["00000/img00000000.png", 6], ...]}, the layout of the EDM dataset tool; without \
      that file they are the names of the folders that the images lie in, numbers in the order of numbers. MNIST's and \
      EMNIST's idx files, and CIFAR-10 as its authors publish it, packed or unpacked, can be used where a data set can.
      """,
    subcommands: [ConvertDataset.self, FetchDataset.self, InspectDataset.self])
}

extension DatasetSplit: ExpressibleByArgument {}
