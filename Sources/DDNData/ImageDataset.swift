import DDNFiles
import Foundation
import Images
import Synchronization

/// Training images: all gray or all RGB, all square with the same power-of-two side.
///
/// Cached in memory as bytes when they fit the caller's limit; otherwise decoded at every read.
public struct ImageDataset: Sendable {
  public let name: String
  public let count: Int
  /// 1 (gray) or 3 (RGB).
  public let channels: Int
  /// In pixels.
  public let side: Int
  /// See `ImageSource`.
  public let notes: [String]
  /// `[N]` class of every image, 0 or more; nil without classes.
  public let labels: [Int]?
  /// One more than the highest class; 0 without classes.
  public var classes: Int { (labels?.max()).map { $0 + 1 } ?? 0 }
  /// `[N, C, side, side]`; nil when not cached.
  public var cachedPixels: [UInt8]? { if case .memory(let pixels) = storage { pixels } else { nil } }

  /// Channels, height and width.
  public var imageShape: [Int] { [channels, side, side] }

  private enum Storage {
    /// `[N, C, side, side]`.
    case memory([UInt8])
    case source(any ImageSource)
  }
  private let storage: Storage
  private let source: any ImageSource
  private var imageSize: Int { channels * side * side }

  /// A quarter of this machine's memory.
  public static var defaultCacheBytes: Int { Int(ProcessInfo.processInfo.physicalMemory / 4) }

  /// Opens a source and, if its images fit the cache, decodes them on all cores.
  ///
  /// The first image determines size and channels.
  /// - Parameters:
  ///   - source: where the images are.
  ///   - cacheBytes: decoded images are cached when they take at most this much memory.
  ///   - progress: called with the number of images decoded so far.
  /// - Throws: `FileError` naming an unusable file, or an image that cannot be decoded, is not square with a power-of-two
  ///   side, or differs from the first in size or channels. Without caching, only the first image is checked here.
  public init(
    _ source: any ImageSource, cacheBytes: Int = defaultCacheBytes, progress: (Int) -> Void = { _ in }
  ) throws(FileError) {
    if let error = source.unusableError { throw error }
    let first = try source.bitmap(0, channels: .asStored)
    guard first.width == first.height, first.width & (first.width - 1) == 0 else {
      throw FileError(
        .invalid, path: "\(source.name), \(source.name(of: 0))",
        problem: "is \(first.width) x \(first.height), not square with a power-of-two side",
        remedy: "resize the images with ddn dataset convert --resolution")
    }
    let imageSize = first.channels * first.width * first.height
    self.init(source, channels: first.channels, side: first.width, storage: .source(source))
    if let array = source as? ImageArray {
      self = Self(source, channels: channels, side: side, storage: .memory(array.pixels))
    } else if count <= cacheBytes / imageSize {
      var pixels: [UInt8] = []
      pixels.reserveCapacity(count * imageSize)
      for start in stride(from: 0, to: count, by: 1024) {
        pixels += try self.pixels(of: Array(start..<min(count, start + 1024)))
        progress(min(count, start + 1024))
      }
      self = Self(source, channels: channels, side: side, storage: .memory(pixels))
    }
  }

  /// Digits, always cached.
  public init(_ digits: DigitDataset) {
    let array = ImageArray(digits)
    self.init(array, channels: 1, side: DigitDataset.side, storage: .memory(array.pixels))
  }

  /// Images in memory.
  ///
  /// - Parameters:
  ///   - name: for messages and model cards.
  ///   - channels: 1 (gray) or 3 (RGB).
  ///   - side: a power of two.
  ///   - pixels: `[N, channels, side, side]`.
  ///   - labels: `[N]` classes, 0 or more; nil without classes.
  public init(name: String, channels: Int, side: Int, pixels: [UInt8], labels: [Int]? = nil) {
    let array = ImageArray(name: name, channels: channels, side: side, pixels: pixels, labels: labels)
    self.init(array, channels: channels, side: side, storage: .memory(pixels))
  }

  private init(_ source: any ImageSource, channels: Int, side: Int, storage: Storage) {
    self.source = source
    name = source.name
    count = source.count
    labels = source.labels
    notes = source.notes
    self.channels = channels
    self.side = side
    self.storage = storage
  }

  /// An image's name within the data set.
  public func name(of index: Int) -> String { source.name(of: index) }

  /// Decodes every image once, to find errors of `pixels(of:)` before training.
  ///
  /// - Parameter progress: called with the number of images decoded so far.
  /// - Throws: `FileError`: see `pixels(of:)`.
  public func checkAll(progress: (Int) -> Void = { _ in }) throws(FileError) {
    guard case .source = storage else { return }
    for start in stride(from: 0, to: count, by: 1024) {
      _ = try pixels(of: Array(start..<min(count, start + 1024)))
      progress(min(count, start + 1024))
    }
  }

  /// `[B, C, side, side]`, the images at `indices`.
  ///
  /// - Throws: `FileError` naming the first image that cannot be decoded or differs in size or channels.
  public func pixels(of indices: [Int]) throws(FileError) -> [UInt8] {
    let failure = Mutex<Int?>(nil)
    let pixels = [UInt8](unsafeUninitializedCapacity: indices.count * imageSize) { buffer, filled in
      switch storage {
      case .memory(let pixels):
        for (place, index) in indices.enumerated() {
          let image = pixels[index * imageSize..<(index + 1) * imageSize]
          _ = UnsafeMutableBufferPointer(rebasing: buffer[(place * imageSize)...]).update(fromContentsOf: image)
        }
      case .source(let source):
        nonisolated(unsafe) let target = buffer.baseAddress!  // Threads write disjoint parts.
        inParallel(indices.count) { place in
          do throws(FileError) {
            // Earlier images still matter: the first failure is named.
            guard failure.withLock({ $0.map { place < $0 } ?? true }) else { return }
            try read(indices[place], of: source, into: target + place * imageSize)
          } catch { failure.withLock { $0 = min($0 ?? place, place) } }
        }
      }
      filled = failure.withLock { $0 } == nil ? indices.count * imageSize : 0
    }
    guard case .source(let source) = storage, let place = failure.withLock({ $0 }) else { return pixels }
    // Read again alone, because threads share libvips's error buffer.
    try read(indices[place], of: source)
    throw FileError(
      .failed, path: "\(name), \(source.name(of: indices[place]))", problem: "could be read only at the second attempt",
      remedy: "check the disk and the memory")
  }

  private func read(
    _ index: Int, of source: any ImageSource, into target: UnsafeMutablePointer<UInt8>? = nil
  ) throws(FileError) {
    let bitmap = try source.bitmap(index, channels: .asStored)
    guard bitmap.width == side, bitmap.height == side, bitmap.channels == channels else {
      throw FileError(
        .invalid, path: "\(name), \(source.name(of: index))",
        problem: "is \(bitmap.summary), and the first image "
          + Bitmap.summary(width: side, height: side, channels: channels),
        remedy: "convert all images with ddn dataset convert --resolution and --channels")
    }
    guard let target else { return }
    let area = side * side
    bitmap.pixels.withUnsafeBufferPointer { pixels in
      for channel in 0..<channels {  // [side, side, C] -> [C, side, side]
        let plane = target + channel * area
        for place in 0..<area { plane[place] = pixels[place * channels + channel] }
      }
    }
  }
}
