import Foundation
import Torch

/// All options of a classifier's training but its images.
public struct ClassifierOptions: Codable, Sendable, Equatable {
  public var classifier: ClassifierConfiguration
  /// The run's length in images, repeats included.
  public var images: Int
  /// Images per step.
  public var batch: Int
  /// At its peak, of the mean loss of a batch.
  public var learningRate: Double
  public var weightDecay: Double
  /// Of the labels' probability, spread evenly over all classes.
  public var labelSmoothing: Double
  /// Whether images are mirrored at random.
  public var mirrors: Bool
  /// Pixels by which an image shifts at most, at random.
  public var shift: Int
  /// The fraction of images that lose detail, as in a DDN's coarse levels.
  public var blurShare: Double
  /// Of the weights, the order of the images and their random changes.
  public var seed: UInt64
  /// Of convolutions.
  public var precision: Precision

  public static let defaultEpochs = 12.0
  public static let defaultBatch = 256
  public static let defaultWeightDecay = 1e-3
  public static let defaultLabelSmoothing = 0.1
  public static let defaultShift = 2

  /// - Parameters:
  ///   - classifier: the network.
  ///   - images: the run's length, repeats included.
  ///   - batch: images per step.
  ///   - learningRate: at its peak; nil for one in proportion to the batch.
  ///   - weightDecay: of weights; biases of norms decay more slowly.
  ///   - labelSmoothing: within 0..<1.
  ///   - mirrors: whether images are mirrored at random; nil for RGB images only, because mirrored digits are wrong.
  ///   - shift: in pixels.
  ///   - blurShare: within 0...1.
  ///   - seed: a 32-bit number.
  ///   - precision: of convolutions.
  public init(
    classifier: ClassifierConfiguration, images: Int, batch: Int = defaultBatch, learningRate: Double? = nil,
    weightDecay: Double = defaultWeightDecay, labelSmoothing: Double = defaultLabelSmoothing, mirrors: Bool? = nil,
    shift: Int = defaultShift, blurShare: Double = 0, seed: UInt64 = 0, precision: Precision = .float32
  ) {
    self.classifier = classifier
    self.images = images
    self.batch = batch
    self.learningRate = learningRate ?? Self.learningRate(ofBatch: batch)
    self.weightDecay = weightDecay
    self.labelSmoothing = labelSmoothing
    self.mirrors = mirrors ?? (classifier.channels == 3)
    self.shift = shift
    self.blurShare = blurShare
    self.seed = seed
    self.precision = precision
  }

  /// The default peak: 0.3 of 256 images, in proportion to the batch.
  public static func learningRate(ofBatch batch: Int) -> Double { 0.3 * Double(batch) / 256 }

  /// The width by default: of gray images 16, of RGB images 32.
  public static func width(ofChannels channels: Int) -> Int { channels == 1 ? 16 : 32 }

  /// - Throws: `ClassifierError` naming the first impossible value.
  public func validate() throws(ClassifierError) {
    try classifier.validate()
    if let validationError { throw ClassifierError(validationError) }
  }

  private var validationError: String? {
    if images < 1 { return "the duration must be at least one image, not \(images)" }
    if !(2...100_000).contains(batch) { return "a batch of \(batch) images is not within 2...100000" }
    if !(learningRate > 0 && learningRate.isFinite) { return "the learning rate must be above 0, not \(learningRate)" }
    if !(weightDecay >= 0 && weightDecay.isFinite) { return "the weight decay must be 0 or more, not \(weightDecay)" }
    if !(0..<1).contains(labelSmoothing) { return "a label smoothing of \(labelSmoothing) is not within 0..<1" }
    if !(0..<classifier.side).contains(shift) {
      return "a shift of \(shift) pixels is not within 0..<\(classifier.side), the images' side"
    }
    if !(0...1).contains(blurShare) { return "a share of \(blurShare) blurred images is not within 0...1" }
    if seed > UInt64(UInt32.max) { return "a seed is within 0...\(UInt32.max), not \(seed)" }
    return nil
  }

  /// The learning rate after `seen` images: a linear rise over the first fifth from a fifth of the peak, then a linear
  /// fall to 0.
  func learningRate(after seen: Int) -> Double {
    let done = min(Double(seen) / Double(images), 1)
    let (start, peak) = (0.2, 0.2)
    return learningRate * (done < peak ? start + (1 - start) * done / peak : (1 - done) / (1 - peak))
  }

  /// The decay of the weights' moving average in a step; its half-life is 2% of the images so far.
  func averageDecay(after seen: Int) -> Double { pow(0.5, Double(batch) / max(0.02 * Double(seen), 1e-8)) }
}
