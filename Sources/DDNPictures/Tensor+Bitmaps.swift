import Images
import Torch

extension Tensor {
  /// 8-bit pixels as values in [-1, 1]: `x / 127.5 - 1`, float32.
  public func unitRange() throws(TorchError) -> Tensor { try to(.float32) * (1 / 127.5) - 1 }

  /// Images `[B, C, H, W]` in [-1, 1], C 1 or 3, as 8-bit bitmaps: `x * 127.5 + 128`, clamped to 0...255, rounded down.
  public func bitmaps() throws(TorchError) -> [Bitmap] {
    let (channels, height, width) = (shape[1], shape[2], shape[3])
    let bytes: [UInt8] = try ((detached().to(.float32) * 127.5) + 128).clamped(0...255).to(.uint8)
      .transposed(1, 2).transposed(2, 3)  // [B, H, W, C]
      .contiguous().array()
    let size = channels * height * width
    return (0..<shape[0]).map { image in
      Bitmap(
        width: width, height: height, channels: channels, pixels: Array(bytes[image * size..<(image + 1) * size]))
    }
  }
}

extension Bitmap {
  /// The pixels as `[1, C, H, W]` in [-1, 1].
  public func tensor() throws(TorchError) -> Tensor {
    try Tensor(pixels, shape: [1, height, width, channels]).unitRange()
      .transposed(2, 3).transposed(1, 2)  // [1, C, H, W]
  }
}
