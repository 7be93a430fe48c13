import DDNFiles
import Foundation
import Images

/// Writes a data set in the layout of the EDM dataset tool: `00000/img00000000.png` and so on, 1000 images per folder,
/// and `dataset.json` with the classes.
///
/// Deterministic: the bytes depend on the source and the options only.
public struct DatasetConversion: Sendable {
  /// Nil to keep the images' size.
  public var transform: ImageTransform?
  public var channels: ChannelChoice
  /// The number of images to convert, from the first; nil for all.
  public var maxImages: Int?
  /// Whether an unusable image is an error instead of skipped.
  public var isStrict: Bool

  public init(
    transform: ImageTransform? = nil, channels: ChannelChoice = .asStored, maxImages: Int? = nil, isStrict: Bool = false
  ) {
    self.transform = transform
    self.channels = channels
    self.maxImages = maxImages
    self.isStrict = isStrict
  }

  /// The result of a conversion.
  public struct Report: Sendable {
    public fileprivate(set) var images = 0
    /// Errors of unusable images.
    public fileprivate(set) var skipped: [FileError] = []
    /// Names of images whose pixels are all equal.
    public fileprivate(set) var constant: [String] = []
    /// Of every written image.
    public fileprivate(set) var channels = 0
    public fileprivate(set) var side = 0
  }

  /// Thrown after a requested stop; nothing was written.
  public struct Stopped: Error {}

  private static let chunk = 512

  /// The number of a source's images to convert.
  public func count(of source: any ImageSource) -> Int { min(source.count, maxImages ?? .max) }

  /// Writes a zip file if `url` ends in `.zip`, else a folder; atomically.
  ///
  /// - Parameters:
  ///   - source: the images to convert.
  ///   - url: of the zip file or folder to write.
  ///   - shouldStop: called between images; true stops the conversion.
  ///   - progress: called with the number of images processed so far.
  /// - Throws: `FileError`: `failed` when `url` exists or cannot be written; `invalid` for an image whose size or
  ///   channels differ from the others' or suit no network, when no image is usable, and, if strict, for an unusable
  ///   image. `Stopped` after `shouldStop` returned true.
  public func write(
    _ source: any ImageSource, to url: URL, shouldStop: () -> Bool = { false }, progress: (Int) -> Void = { _ in }
  ) throws -> Report {
    var report = Report()
    if isStrict, let error = source.unusable.first { throw error }
    report.skipped = source.unusable
    try DatasetWriter.write(to: url) { add in
      var (names, labels): ([String], [Int]) = ([], [])
      let count = count(of: source)
      for start in stride(from: 0, to: count, by: Self.chunk) {
        let indices = start..<min(count, start + Self.chunk)
        let images = parallelMap(indices.count) { convert(source, indices.lowerBound + $0) }
        for (index, result) in zip(indices, images) {
          // Failures are repeated alone, because threads share libvips's error buffer.
          let result = if case .failure = result { convert(source, index) } else { result }
          guard let image = try check(result, index, of: source, &report) else { continue }
          let name = Self.name(of: names.count)
          try add(name, image.png)
          names.append(name)
          if let label = source.labels?[index] { labels.append(label) }
        }
        progress(indices.upperBound)
        if shouldStop() { throw Stopped() }
      }
      guard report.images > 0 else {
        throw FileError(
          .invalid, path: source.name, problem: "none of its \(count) images can be used",
          remedy: "use another source; the first error: \(report.skipped[0].description)")
      }
      try add(
        ImageFiles.labelsName,
        ImageLabels(
          labels: source.labels == nil ? nil : labels, classNames: source.classNames, preparation: source.preparation
        ).data(names: names))
    }
    return report
  }

  private struct Image {
    let png: Data
    let width: Int
    let height: Int
    let channels: Int
    let isConstant: Bool
    let summary: String
  }

  private func convert(_ source: any ImageSource, _ index: Int) -> Result<Image, FileError> {
    do throws(FileError) {
      let bitmap = try source.bitmap(index, channels: channels)
      do throws(ImageError) {
        let image = try transform?(bitmap) ?? bitmap
        return .success(
          Image(
            png: try PNG.encode(image), width: image.width, height: image.height, channels: image.channels,
            isConstant: image.isConstant, summary: image.summary))
      } catch {
        throw FileError(.invalid, path: source.path(of: index), error)
      }
    } catch { return .failure(error) }
  }

  /// Nil for a skipped image.
  private func check(
    _ result: Result<Image, FileError>, _ index: Int, of source: any ImageSource, _ report: inout Report
  ) throws(FileError) -> Image? {
    let image: Image
    switch result {
    case .success(let success): image = success
    case .failure(let error):
      // Read errors are not skipped.
      if isStrict || error.kind != .invalid { throw error }
      report.skipped.append(error)
      return nil
    }
    let size = "is \(image.summary)"
    if report.images == 0 {
      guard image.width == image.height, image.width & (image.width - 1) == 0 else {
        throw FileError(
          .invalid, path: source.path(of: index), problem: "\(size), not square with a power-of-two side",
          remedy: "give a --resolution")
      }
      (report.side, report.channels) = (image.width, image.channels)
    }
    guard (image.width, image.height) == (report.side, report.side) else {
      throw FileError(
        .invalid, path: source.path(of: index),
        problem: "\(size), and the images before it \(report.side) x \(report.side)", remedy: "give a --resolution")
    }
    guard image.channels == report.channels else {
      throw FileError(
        .invalid, path: source.path(of: index),
        problem:
          "is \(image.channels == 1 ? "gray" : "RGB"), and the images before it are \(report.channels == 1 ? "gray" : "RGB")",
        remedy: "choose --channels gray or rgb")
    }
    report.images += 1
    if image.isConstant { report.constant.append(source.name(of: index)) }
    return image
  }

  /// "00012/img00012345.png"
  static func name(of number: Int) -> String {
    let padded = zeroPadded(number, digits: 8)
    return "\(padded.dropLast(3))/img\(padded).png"
  }
}

extension ImageSource {
  /// An image's path in messages.
  func path(of index: Int) -> String { "\(name), \(name(of: index))" }
}
