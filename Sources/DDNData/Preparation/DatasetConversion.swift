import DDNFiles
import Foundation
import Images

/// Makes a data set in the layout of the EDM dataset tool: `00000/img00000000.png` and so on, a thousand to a folder, and
/// `dataset.json` with the classes.
///
/// The same source and options give the same bytes, whatever the number of cores.
public struct DatasetConversion: Sendable {
  /// Nil to leave images as they are.
  public var transform: ImageTransform?
  public var channels: ChannelChoice
  /// Only the source's first images; nil for all.
  public var maxImages: Int?
  /// Whether an image that cannot be used ends the conversion.
  public var isStrict: Bool

  public init(
    transform: ImageTransform? = nil, channels: ChannelChoice = .asStored, maxImages: Int? = nil, isStrict: Bool = false
  ) {
    self.transform = transform
    self.channels = channels
    self.maxImages = maxImages
    self.isStrict = isStrict
  }

  /// What came of a conversion.
  public struct Report: Sendable {
    public fileprivate(set) var images = 0
    /// Images that could not be used, and why.
    public fileprivate(set) var skipped: [FileError] = []
    /// Images whose pixels are all the same.
    public fileprivate(set) var constant: [String] = []
    /// Of all images that were written.
    public fileprivate(set) var channels = 0
    public fileprivate(set) var side = 0
  }

  /// A stop that was asked for; nothing was written.
  public struct Stopped: Error {}

  private static let imagesAtATime = 512

  /// How many images of a source are looked at.
  public func count(of source: any ImageSource) -> Int { min(source.count, maxImages ?? .max) }

  /// Writes a zip file, when `url` ends in `.zip`, or a folder: whole or not at all.
  ///
  /// - Parameters:
  ///   - progress: is told how many images were looked at.
  /// - Throws: `FileError`: `failed` when there is something at `url`, or the disk refuses; `invalid` naming an image
  ///   whose size or channels do not fit the others or any network, or, when strict, that cannot be decoded; also when
  ///   none is left. `Stopped` when `shouldStop` said so.
  public func write(
    _ source: any ImageSource, to url: URL, shouldStop: () -> Bool = { false }, progress: (Int) -> Void = { _ in }
  ) throws -> Report {
    var report = Report()
    if isStrict, let error = source.unusable.first { throw error }
    report.skipped = source.unusable
    try DatasetWriter.write(to: url) { add in
      var (names, labels): ([String], [Int]) = ([], [])
      let count = count(of: source)
      for start in stride(from: 0, to: count, by: Self.imagesAtATime) {
        let indices = start..<min(count, start + Self.imagesAtATime)
        let images = parallelMap(indices.count) { make(source, indices.lowerBound + $0) }
        for (index, result) in zip(indices, images) {
          // A failure once more alone, because threads share libvips's reason for an error.
          let result = if case .failure = result { make(source, index) } else { result }
          guard let image = try accept(result, index, of: source, &report) else { continue }
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
          remedy: "choose another source; \(report.skipped[0].description)")
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
  }

  private func make(_ source: any ImageSource, _ index: Int) -> Result<Image, FileError> {
    do throws(FileError) {
      let bitmap = try source.bitmap(index, channels: channels)
      do throws(ImageError) {
        let image = try transform?(bitmap) ?? bitmap
        return .success(
          Image(
            png: try PNG.encode(image), width: image.width, height: image.height, channels: image.channels,
            isConstant: image.isConstant))
      } catch {
        throw FileError(.invalid, path: source.path(of: index), error)
      }
    } catch { return .failure(error) }
  }

  /// Nil for an image to skip.
  private func accept(
    _ result: Result<Image, FileError>, _ index: Int, of source: any ImageSource, _ report: inout Report
  ) throws(FileError) -> Image? {
    let image: Image
    switch result {
    case .success(let success): image = success
    case .failure(let error):
      // A source that the disk refuses is no bad image.
      if isStrict || error.kind != .invalid { throw error }
      report.skipped.append(error)
      return nil
    }
    let size = "is \(image.width) x \(image.height) \(image.channels == 1 ? "gray" : "RGB")"
    if report.images == 0 {
      guard image.width == image.height, image.width & (image.width - 1) == 0 else {
        throw FileError(
          .invalid, path: source.path(of: index), problem: "\(size), not square with a side of a power of two",
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
        problem: "\(size), and the images before it are \(report.channels == 1 ? "gray" : "RGB")",
        remedy: "choose --channels gray or rgb")
    }
    report.images += 1
    if image.isConstant { report.constant.append(source.name(of: index)) }
    return image
  }

  /// "00012/img00012345.png"
  static func name(of number: Int) -> String {
    let digits = String(number)
    let padded = String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    return "\(padded.dropLast(3))/img\(padded).png"
  }
}

extension ImageSource {
  /// One picture as messages call it.
  func path(of index: Int) -> String { "\(name), \(name(of: index))" }
}
