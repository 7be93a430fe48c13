import Torch

/// Who chooses one of a level's K images for every image of the batch: a target, chance, or a known code.
///
/// Source: paper, section 3.1 (Guided Sampler) and section 3.3.
public protocol Chooser {
  /// Chooses one node for every image.
  ///
  /// - Throws: `TorchError` when libtorch fails; what the chooser's own source of choices throws.
  func choose(from candidates: Candidates) throws -> Choice
}

/// What was chosen at one level.
public struct Choice {
  /// `[B]` int64 in `0..<K`.
  public let codes: Tensor
  /// `[B, K]` distances to the target, when there is one: what Split-and-Prune counts.
  public let distances: Tensor?

  public init(codes: Tensor, distances: Tensor? = nil) {
    self.codes = codes
    self.distances = distances
  }
}

/// The K images of a level, made only as far as a chooser asks.
public struct Candidates {
  /// The level, from 0.
  public let level: Int
  /// K.
  public let nodes: Int
  public let paths: SharedPaths
  /// `[R, F, H, W]`, the part of the features that makes the images.
  let features: Tensor
  /// `[K, C, F]`.
  let weights: Tensor
  /// `[R, C, H, W]` that every node's image is added to; nil for zero.
  let base: Tensor?
  let measure: NodeDistances.Measure

  /// Images in the batch, B.
  public var samples: Int { paths.samples }
  public var device: Device { features.device }

  /// How far each of the K images is from the target: `[B, K]`.
  public func distances(to target: Target, form: NodeDistances.Form? = nil) throws -> Tensor {
    let shape = features.shape  // [R, F, H, W]
    let sized = try target.sized(height: shape[2], width: shape[3])
    let pixels = shape[2] * shape[3]
    let residual = try base.map { (base) throws(TorchError) in try sized - paths.perSample(base) } ?? sized
    return try NodeDistances.all(
      features: features.reshaped([shape[0], shape[1], pixels]), weights: weights,
      residual: residual.reshaped([samples, weights.shape[1], pixels]), paths: paths, measure: measure, form: form)
  }

  /// All K images of every row: `[R, K, C, H, W]`.
  public func images() throws(TorchError) -> Tensor {
    let shape = features.shape  // [R, F, H, W]
    let (channels, width) = (weights.shape[1], weights.shape[2])
    let images = try weights.reshaped([nodes * channels, width])
      .matmul(features.reshaped([shape[0], shape[1], shape[2] * shape[3]]))  // [R, K C, N]
      .reshaped([shape[0], nodes, channels, shape[2], shape[3]])
    guard let base else { return images }
    return try images + base.reshaped([shape[0], 1, channels, shape[2], shape[3]])
  }
}

/// The images to come close to, at every size that a level asks for.
public final class Target {
  /// How a target is made smaller for a level that works at a lower resolution.
  public enum Resizing: Sendable {
    case area
    case bilinear
  }

  /// `[B, C, H, W]` in [-1, 1].
  public let images: Tensor
  private let resizing: Resizing
  private var sizes: [[Int]: Tensor] = [:]

  public init(_ images: Tensor, resizing: Resizing = .area) {
    self.images = images
    self.resizing = resizing
  }

  /// The images at a size, `[B, C, height, width]`; made once and remembered.
  public func sized(height: Int, width: Int) throws(TorchError) -> Tensor {
    if Array(images.shape[2...]) == [height, width] { return images }
    if let known = sizes[[height, width]] { return known }
    let made =
      switch resizing {
      case .area: try images.resizedArea(height: height, width: width)
      case .bilinear: try images.resizedBilinear(height: height, width: width)
      }
    sizes[[height, width]] = made
    return made
  }
}

/// Chooses the image nearest to the target; of equals the lowest index.
public struct NearestChooser: Chooser {
  public let target: Target

  public init(_ target: Target) { self.target = target }

  public func choose(from candidates: Candidates) throws -> Choice {
    let distances = try candidates.distances(to: target)
    return Choice(codes: try distances.argmin(1), distances: distances)
  }
}

/// Chooses by chance, every node with the same probability.
public struct RandomChooser: Chooser {
  private let generator: Generator

  /// - Parameter generator: on the device of the network.
  public init(_ generator: Generator) { self.generator = generator }

  public func choose(from candidates: Candidates) throws -> Choice {
    Choice(codes: try .integers(in: 0..<candidates.nodes, [candidates.samples], generator: generator))
  }
}

/// Chooses what a code says, and where the code ends asks another chooser.
public struct GivenChooser: Chooser {
  private let codes: [Tensor]
  private let then: (any Chooser)?

  /// - Parameters:
  ///   - codes: for each level from 0, `[B]` int64 in range; fewer levels than the network has need `then`.
  ///   - then: chooses at the levels that remain.
  public init(_ codes: [Tensor], then: (any Chooser)? = nil) {
    self.codes = codes
    self.then = then
  }

  public func choose(from candidates: Candidates) throws -> Choice {
    if candidates.level < codes.count { return Choice(codes: codes[candidates.level]) }
    guard let then else { preconditionFailure("codes for \(codes.count) levels, and level \(candidates.level) comes") }
    return try then.choose(from: candidates)
  }
}

/// Now and then replaces a chooser's choice by chance, so that training also visits paths that no image takes.
///
/// Source: paper, section 3.4 (Chain Dropout).
public struct ChainDropout: Chooser {
  /// What one draw decides for.
  public enum Scope: String, Codable, Sendable, CaseIterable {
    /// Each image of the batch by itself.
    case sample
    /// The whole batch, as the original program does.
    case batch
  }

  private let inner: any Chooser
  private let probability: Double
  private let scope: Scope
  private let generator: Generator

  /// - Parameters:
  ///   - probability: in 0...1, for each level anew.
  ///   - generator: on the device of the network.
  public init(_ inner: any Chooser, probability: Double, scope: Scope, generator: Generator) {
    precondition((0...1).contains(probability), "a probability is between 0 and 1, not \(probability)")
    self.inner = inner
    self.probability = probability
    self.scope = scope
    self.generator = generator
  }

  public func choose(from candidates: Candidates) throws -> Choice {
    let choice = try inner.choose(from: candidates)
    guard probability > 0 else { return choice }
    let draws = scope == .sample ? candidates.samples : 1
    let isDropped = try Tensor.uniform([draws], generator: generator).isLess(than: probability)
    let random = try Tensor.integers(in: 0..<candidates.nodes, [candidates.samples], generator: generator)
    return Choice(codes: try isDropped.selecting(random, else: choice.codes), distances: choice.distances)
  }
}
