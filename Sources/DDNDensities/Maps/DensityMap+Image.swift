import DDNFiles
import Foundation
import Images

extension DensityMap {
  /// A picture as a density: the mean of its channels, averaged over each bin's area; light is likely.
  ///
  /// - Parameter bins: on each side; a picture that is not square is stretched.
  /// - Throws: `FileError` when the file is missing, no picture, too large, or all black.
  public init(image url: URL, bins: Int) throws(FileError) {
    let picture = try PNG.read(url, channels: .rgb)
    let values = stride(from: 0, to: picture.pixels.count, by: 3).map { pixel in
      (Double(picture.pixels[pixel]) + Double(picture.pixels[pixel + 1]) + Double(picture.pixels[pixel + 2])) / 3
    }
    guard values.contains(where: { $0 > 0 }) else {
      throw FileError(
        .invalid, path: url.path, problem: "this picture is all black, so nowhere can a sample fall",
        remedy: "choose one with light parts")
    }
    let canvas = Canvas(height: picture.height, width: picture.width, values: values)
    self.init(
      name: url.deletingPathExtension().lastPathComponent, height: bins, width: bins,
      weights: canvas.resized(height: bins, width: bins).values)
  }
}
