import DDNPictures
import Torch

extension Tensor {
  /// Images in [-1, 1] after a trip through 8 bits, as `bitmaps()` writes them: still in [-1, 1].
  public func written() throws(TorchError) -> Tensor {
    try eightBit().unitRange()
  }

  /// Images in [-1, 1] as uint8, as `bitmaps()` writes them.
  public func eightBit() throws(TorchError) -> Tensor {
    try ((detached().to(.float32) * 127.5) + 128).clamped(0...255).to(.uint8)
  }
}
