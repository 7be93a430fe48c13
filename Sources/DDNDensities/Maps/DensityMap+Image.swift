import DDNFiles
import Foundation
import Images

extension DensityMap {
  /// An image as a density: the mean of its channels over each bin's area; light is likely.
  ///
  /// - Parameters:
  ///   - url: of the picture.
  ///   - bins: per side; the image is stretched to a square.
  /// - Throws: `FileError` when the file is missing, not an image, too large, or all black.
  public init(image url: URL, bins: Int) throws(FileError) {
    let image = try PNG.read(url, channels: .rgb)
    let values = stride(from: 0, to: image.pixels.count, by: 3).map { pixel in
      (Double(image.pixels[pixel]) + Double(image.pixels[pixel + 1]) + Double(image.pixels[pixel + 2])) / 3
    }
    guard values.contains(where: { $0 > 0 }) else {
      throw FileError(
        .invalid, path: url.path, problem: "the image is all black, so its density is zero everywhere",
        remedy: "choose an image with light parts")
    }
    let canvas = Canvas(height: image.height, width: image.width, values: values)
    self.init(
      name: url.deletingPathExtension().lastPathComponent, height: bins, width: bins,
      weights: canvas.resized(height: bins, width: bins).values)
  }
}
