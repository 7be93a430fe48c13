import Foundation

/// Data sets for download, with the checksums of their files.
///
/// From the authors' servers, but MNIST from PyTorch's mirror, because its page no longer serves the files.
public enum PublishedDataset: String, Sendable, CaseIterable {
  case mnist
  case fashionMNIST = "fashion-mnist"
  case cifar10
  case cifar100

  public struct File: Sendable {
    public let name: String
    public let bytes: Int
    /// In hexadecimal.
    public let sha256: String
  }

  /// Base URL of the files.
  public var address: URL {
    switch self {
    case .mnist: URL(string: "https://ossci-datasets.s3.amazonaws.com/mnist/")!
    case .fashionMNIST: URL(string: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/")!
    case .cifar10, .cifar100: URL(string: "https://www.cs.toronto.edu/~kriz/")!
    }
  }

  public var files: [File] {
    switch self {
    case .mnist:
      [
        File(
          name: "train-images-idx3-ubyte.gz", bytes: 9_912_422,
          sha256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        File(
          name: "train-labels-idx1-ubyte.gz", bytes: 28_881,
          sha256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        File(
          name: "t10k-images-idx3-ubyte.gz", bytes: 1_648_877,
          sha256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        File(
          name: "t10k-labels-idx1-ubyte.gz", bytes: 4_542,
          sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
      ]
    case .fashionMNIST:
      [
        File(
          name: "train-images-idx3-ubyte.gz", bytes: 26_421_880,
          sha256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        File(
          name: "train-labels-idx1-ubyte.gz", bytes: 29_515,
          sha256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        File(
          name: "t10k-images-idx3-ubyte.gz", bytes: 4_422_102,
          sha256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        File(
          name: "t10k-labels-idx1-ubyte.gz", bytes: 5_148,
          sha256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
      ]
    case .cifar10:
      [
        File(
          name: "cifar-10-binary.tar.gz", bytes: 170_052_171,
          sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd")
      ]
    case .cifar100:
      [
        File(
          name: "cifar-100-binary.tar.gz", bytes: 168_513_733,
          sha256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec")
      ]
    }
  }
}
