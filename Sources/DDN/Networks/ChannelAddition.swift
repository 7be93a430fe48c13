import Torch

/// Images to add to some channels of features.
struct ChannelAddition {
  /// `[R, c, H, W]`.
  let tensor: Tensor
  /// The c feature channels to add to; repeats are allowed.
  let channels: [Int]

  /// Adds to consecutive channels.
  init(_ tensor: Tensor, at first: Int) {
    self.init(tensor, Array(first..<first + tensor.shape[1]))
  }

  /// Several additions as one.
  init(_ additions: [ChannelAddition]) throws(TorchError) {
    self.init(try .concatenate(additions.map(\.tensor), dimension: 1), additions.flatMap(\.channels))
  }

  private init(_ tensor: Tensor, _ channels: [Int]) {
    self.tensor = tensor
    self.channels = channels
  }
}

extension Tensor {
  private static let addToChannels = Operator("ddn::add_to_channels")

  /// Features `[R, C, H, W]` with images added to some channels.
  func adding(_ addition: ChannelAddition?) throws(TorchError) -> Tensor {
    guard let addition else { return self }
    return try Tensor.addToChannels.tensor(.tensor(self), .tensor(addition.tensor), .ints(addition.channels))
  }
}
