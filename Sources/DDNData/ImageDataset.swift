import DDNFiles
import Foundation
import Images
import Synchronization

/// Images to train on: all gray or all RGB, all of one square size, a power of two.
///
/// They are in memory when they fit what the caller allows, as bytes; otherwise they are decoded whenever they are read.
public struct ImageDataset: Sendable {
  public let name: String
  public let count: Int
  /// 1 (gray) or 3 (RGB).
  public let channels: Int
  /// Pixels on an image's side.
  public let side: Int
  /// See `ImageSource`.
  public let notes: [String]
  /// `[N]` class of every image, 0 or more; nil when they have none.
  public let labels: [Int]?
  /// One more than the highest class; 0 when images have none.
  public var classes: Int { (labels?.max()).map { $0 + 1 } ?? 0 }
  /// All images, `[N, C, side, side]`, flat; nil when they are not in memory.
  public var cachedPixels: [UInt8]? { if case .memory(let pixels) = storage { pixels } else { nil } }

  /// Channels, height and width.
  public var imageShape: [Int] { [channels, side, side] }

  private enum Storage {
    /// `[N, C, side, side]`, flat.
    case memory([UInt8])
    case source(any ImageSource)
  }
  private let storage: Storage
  private let source: any ImageSource
  private var imageSize: Int { channels * side * side }

  /// How much of this machine's memory decoded images may take unless something else is said, in bytes: a quarter.
  public static var defaultCacheBytes: Int { Int(ProcessInfo.processInfo.physicalMemory / 4) }

  /// Takes images from a source and, where they fit, decodes all of them on all cores.
  ///
  /// The first image decides size and channels.
  /// - Parameters:
  ///   - cacheBytes: the most that all images together may take to be held in memory.
  ///   - progress: is told how many images were decoded.
  /// - Throws: `FileError` (`invalid`) naming an image that cannot be decoded, that is not square with a side of a power
  ///   of two, or that is not like the first one; naming a file that cannot be used. Of images that do not fit, only the first is looked at here.
  public init(
    _ source: any ImageSource, cacheBytes: Int = defaultCacheBytes, progress: (Int) -> Void = { _ in }
  ) throws(FileError) {
    if let error = source.unusableError { throw error }
    let first = try source.bitmap(0, channels: .asStored)
    guard first.width == first.height, first.width & (first.width - 1) == 0 else {
      throw FileError(
        .invalid, path: "\(source.name), \(source.name(of: 0))",
        problem: "is \(first.width) x \(first.height), not square with a side of a power of two",
        remedy: "make a data set of one size with ddn dataset convert --resolution")
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

  /// Digits, which are in memory anyway.
  public init(_ digits: DigitDataset) {
    let array = ImageArray(digits)
    self.init(array, channels: 1, side: DigitDataset.side, storage: .memory(array.pixels))
  }

  /// Images without classes that are in memory anyway.
  ///
  /// - Parameters:
  ///   - channels: 1 (gray) or 3 (RGB).
  ///   - side: pixels on an image's side, a power of two.
  ///   - pixels: `[N, channels, side, side]`, flat.
  public init(name: String, channels: Int, side: Int, pixels: [UInt8]) {
    let array = ImageArray(name: name, channels: channels, side: side, pixels: pixels, labels: nil)
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

  /// What one image is called, relative to the data set.
  public func name(of index: Int) -> String { source.name(of: index) }

  /// Decodes every image once, so that what `pixels(of:)` would refuse is found before training.
  ///
  /// - Parameter progress: is told how many images were decoded.
  /// - Throws: `FileError`: see `pixels(of:)`.
  public func checkAll(progress: (Int) -> Void = { _ in }) throws(FileError) {
    guard case .source = storage else { return }
    for start in stride(from: 0, to: count, by: 1024) {
      _ = try pixels(of: Array(start..<min(count, start + 1024)))
      progress(min(count, start + 1024))
    }
  }

  /// The images at `indices`: `[B, C, side, side]`, flat.
  ///
  /// - Throws: `FileError` naming the first of them that cannot be decoded or is not like the data set's first.
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
        nonisolated(unsafe) let target = buffer.baseAddress!  // Every image has a place of its own.
        inParallel(indices.count) { place in
          do throws(FileError) {
            guard failure.withLock({ $0 == nil }) else { return }
            try read(indices[place], of: source, into: target + place * imageSize)
          } catch { failure.withLock { $0 = min($0 ?? place, place) } }
        }
      }
      filled = failure.withLock { $0 } == nil ? indices.count * imageSize : 0
    }
    guard case .source(let source) = storage, let place = failure.withLock({ $0 }) else { return pixels }
    // Once more alone, because threads share libvips's reason for an error.
    try read(indices[place], of: source)
    throw FileError(
      .failed, path: "\(name), \(source.name(of: indices[place]))", problem: "could be read only the second time",
      remedy: "check the disk and the memory")
  }

  private func read(
    _ index: Int, of source: any ImageSource, into target: UnsafeMutablePointer<UInt8>? = nil
  ) throws(FileError) {
    let bitmap = try source.bitmap(index, channels: .asStored)
    guard bitmap.width == side, bitmap.height == side, bitmap.channels == channels else {
      throw FileError(
        .invalid, path: "\(name), \(source.name(of: index))",
        problem: "is \(bitmap.summary), and the first image \(side) x \(side) \(channels == 1 ? "gray" : "RGB")",
        remedy: "make them alike with ddn dataset convert --resolution and --channels")
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

extension Bitmap {
  /// "64 x 48 gray", as messages say it.
  var summary: String { "\(width) x \(height) \(channels == 1 ? "gray" : "RGB")" }
}
