import DDN
import DDNData
import Torch

/// A network's reconstructions at random levels, as training images for the classifier that guides it.
///
/// A coarse candidate is about the mean of the images that it leads to. Trained on such, a classifier tells how many of
/// them are of a class.
public enum LevelImages {
  /// Levels of each encoded image.
  public static let perImage = 3
  /// Images that are encoded, from the first.
  public static let mostEncoded = 20_000

  /// The number of reconstructions that `adding` adds.
  ///
  /// - Parameter images: the number of images.
  public static func count(of images: Int) -> Int { perImage * min(images, mostEncoded) }

  /// The images, then reconstructions of the first of them with their classes, resized to the images' side.
  ///
  /// - Parameters:
  ///   - images: with classes, of the network's shape.
  ///   - network: encodes the images; given their classes, if it is class-conditional.
  ///   - seed: of the levels; the low 32 bits.
  ///   - count: images to encode, from the first.
  ///   - progress: called with the number of encoded images.
  /// - Throws: `FileError` when an image cannot be read; `TorchError`; what `progress` throws.
  public static func adding(
    to images: ImageDataset, by network: any DiscreteDistributionNetwork, seed: UInt64, count: Int = mostEncoded,
    progress: (Int) throws -> Void = { _ in }
  ) throws -> ImageDataset {
    var random = MersenneTwister(seed: seed)
    var pixels = try images.cachedPixels ?? images.pixels(of: Array(0..<images.count))
    var labels = images.labels!
    let job = EncodingJob(try TrainingImages(images, device: network.device), count: count, by: network)
    try job.run { range, result in
      let levels = result.reconstruction.levels
      for _ in 0..<perImage {
        for (place, index) in range.enumerated() {
          let level = try levels[random.below(levels.count)].slice(0, place..<place + 1)
          pixels += try (level.resizedBilinear(height: images.side, width: images.side) * 127.5 + 128)
            .clamped(0...255).to(.uint8).array(UInt8.self)
          labels.append(images.labels![index])
        }
      }
      try progress(range.upperBound)
    }
    return ImageDataset(
      name: "\(images.name) and its reconstructions", channels: images.channels, side: images.side, pixels: pixels,
      labels: labels)
  }
}
