import DDN
import DDNData
import DDNFiles
import Foundation
import Images
import Torch

/// Images to compute features of, a batch at a time.
public protocol FeatureSource {
  var count: Int { get }

  /// The class of every image; nil without classes.
  var labels: [Int]? { get }

  /// Determines the images: sources of equal identities have equal images.
  var identity: String { get }

  /// As in messages.
  var name: String { get }

  /// The images in `range` in order, in groups of one size: each `[n, C, H, W]` uint8.
  ///
  /// - Throws: `FileError` naming an image that cannot be decoded; what a network throws.
  func pixels(in range: Range<Int>) throws -> [Tensor]

  /// Checks that the images have not changed since the source was opened.
  ///
  /// - Throws: `FileError` when they have.
  func checkUnchanged() throws
}

extension FeatureSource {
  public func checkUnchanged() throws {}
}

/// Images of files: a data set, or a seeded subset of one. Any sizes.
public struct FileImages: FeatureSource {
  private let source: any ImageSource
  private let url: URL
  private let listing: ListingFingerprint
  private let indices: [Int]

  public let labels: [Int]?
  public let identity: String
  public var count: Int { indices.count }
  public var name: String { url.path }

  /// The fewest images that have a covariance.
  private static let fewest = 2

  /// Opens a data set.
  ///
  /// - Parameters:
  ///   - url: see `openImages`.
  ///   - number: how many images to take; nil for all.
  ///   - seed: of the subset, where there are more.
  ///   - split: of data sets that have both.
  /// - Throws: `FileError` when there are fewer than `number` or than two images, or some cannot be read.
  public init(
    _ url: URL, number: Int? = nil, seed: UInt64 = 0, split: DatasetSplit = .test
  ) throws(FileError) {
    listing = try ListingFingerprint(url)
    source = try openImages(url, split: split)
    self.url = url
    if let first = source.unusable.first {
      throw FileError(
        first.kind, path: first.path, problem: first.problem + andOthers(source.unusable.count - 1, "file"),
        remedy: first.remedy)
    }
    guard source.count >= max(number ?? 0, Self.fewest) else {
      throw FileError(
        .invalid, path: url.path,
        problem:
          "has \(source.count) \(source.count == 1 ? "image" : "images"), fewer than \(max(number ?? 0, Self.fewest))",
        remedy: number == nil ? "give at least two images" : "give more images, or a smaller --num")
    }
    let picked = ImageSubset.indices(count: source.count, number: number ?? source.count, seed: seed)
    let all = source.labels
    labels = all.map { all in picked.map { all[$0] } }
    indices = picked
    identity =
      "files \(listing.checksum) \(split) \(picked.count) of \(source.count)"
      + (picked.count < source.count ? ", seed \(seed)" : "")
  }

  public func pixels(in range: Range<Int>) throws -> [Tensor] {
    let bitmaps = try PictureReader.bitmaps(indices[range], of: source)
    var groups: [Tensor] = []
    var start = 0
    for end in 1...bitmaps.count {
      let first = bitmaps[start]
      guard end == bitmaps.count || !first.hasShape(of: bitmaps[end]) else { continue }
      let bytes = bitmaps[start..<end].flatMap(\.pixels)
      // [n, H, W, C] -> [n, C, H, W]
      groups.append(
        try Tensor(bytes, shape: [end - start, first.height, first.width, first.channels])
          .transposed(2, 3).transposed(1, 2).contiguous())
      start = end
    }
    return groups
  }

  public func checkUnchanged() throws {
    guard try ListingFingerprint(url) == listing else {
      throw FileError(
        .invalid, path: url.path, problem: "has changed while its images were read",
        remedy: "run the command again when nothing writes there")
    }
  }
}

extension Bitmap {
  fileprivate func hasShape(of other: Bitmap) -> Bool {
    (width, height, channels) == (other.width, other.height, other.channels)
  }
}
