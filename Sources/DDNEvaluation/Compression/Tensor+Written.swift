import DDNPictures
import Torch

extension Tensor {
  /// Images in [-1, 1] after a trip through 8 bits, as `bitmaps()` writes them: still in [-1, 1].
  public func written() throws(TorchError) -> Tensor {
    try ((to(.float32) * 127.5) + 128).clamped(0...255).to(.uint8).unitRange()
  }
}
