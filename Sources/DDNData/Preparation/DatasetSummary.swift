import DDNFiles
import Images

/// Statistics of a data set: image sizes, classes, pixel values and errors.
public struct DatasetSummary: Sendable {
  /// Size and channels of an image.
  public struct Kind: Hashable, Sendable {
    public let width: Int
    public let height: Int
    public let channels: Int
  }

  public let name: String
  public let count: Int
  /// In order of decreasing count.
  public let kinds: [(kind: Kind, count: Int)]
  /// Images per class, from 0 to the highest; nil without classes.
  public let classCounts: [Int]?
  /// Per channel over all pixels, 0 (black) to 1; in a mixed data set, gray images count in every channel.
  public let means: [Double]
  public let standardDeviations: [Double]
  /// Errors of images that cannot be decoded and of unusable files.
  public let unreadable: [FileError]
  /// Names of images whose pixels are all equal.
  public let constant: [String]
  /// Why no network can be trained on the readable images; nil when one can.
  public var trainingProblem: String? {
    guard let first = kinds.first?.kind else { return "no image can be read" }
    let sizes = Set(kinds.map { [$0.kind.width, $0.kind.height] })
    if sizes.count > 1 { return "there are \(sizes.count) sizes; convert with ddn dataset convert --resolution" }
    if kinds.count > 1 { return "some are gray and some RGB; convert with ddn dataset convert --channels" }
    if first.width != first.height || first.width & (first.width - 1) != 0 {
      return "they are not square with a power-of-two side; convert with ddn dataset convert --resolution"
    }
    return nil
  }

  /// Decodes all images on all cores.
  ///
  /// - Parameters:
  ///   - source: the images to describe.
  ///   - progress: called with the number of images read so far; throwing aborts.
  /// - Throws: what `progress` throws; `FileError` (`failed`) when a file cannot be read.
  public init(_ source: any ImageSource, progress: (Int) throws -> Void = { _ in }) throws {
    name = source.name
    count = source.count
    var kinds: [Kind: Int] = [:]
    var sums: [Sums] = [Sums(), Sums(), Sums()]
    var graySums = Sums()
    var unreadable = source.unusable
    var constant: [String] = []
    for start in stride(from: 0, to: count, by: 512) {
      let indices = start..<min(count, start + 512)
      let parts = parallelMap(indices.count) { place in Self.inspect(indices.lowerBound + place, of: source) }
      for (index, part) in zip(indices, parts) {
        switch part {
        case .success(let (kind, channels, isConstant)):
          if isConstant { constant.append(source.name(of: index)) }
          kinds[kind, default: 0] += 1
          if channels.count == 1 { graySums.add(channels[0]) } else { for c in 0..<3 { sums[c].add(channels[c]) } }
        case .failure(let error):
          if error.kind != .invalid { throw error }
          // Failures are repeated alone, because threads share libvips's error buffer.
          if case .failure(let error) = Self.inspect(index, of: source) { unreadable.append(error) }
        }
      }
      try progress(indices.upperBound)
    }
    self.kinds = kinds.map { (kind: $0.key, count: $0.value) }.sorted {
      ($1.count, $0.kind.width, $0.kind.height, $0.kind.channels) < (
        $0.count, $1.kind.width, $1.kind.height, $1.kind.channels
      )
    }
    self.unreadable = unreadable
    self.constant = constant
    if sums[0].pixels == 0 { sums = [graySums] } else { for c in 0..<3 { sums[c].add(graySums) } }
    let filled = sums.filter { $0.pixels > 0 }
    means = filled.map(\.mean)
    standardDeviations = filled.map(\.standardDeviation)
    classCounts = source.labels.map { labels in
      labels.reduce(into: [Int](repeating: 0, count: (labels.max() ?? 0) + 1)) { $0[$1] += 1 }
    }
  }

  /// Exact integer sums over a channel.
  private struct Sums: Sendable {
    var pixels = 0
    var sum = 0
    var squares = 0

    var mean: Double { Double(sum) / Double(pixels) / 255 }
    var standardDeviation: Double {
      let mean = Double(sum) / Double(pixels)
      return max(0, Double(squares) / Double(pixels) - mean * mean).squareRoot() / 255
    }

    mutating func add(_ other: Sums) {
      pixels += other.pixels
      sum += other.sum
      squares += other.squares
    }
  }

  private static func inspect(
    _ index: Int, of source: any ImageSource
  ) -> Result<(Kind, [Sums], isConstant: Bool), FileError> {
    do throws(FileError) {
      let bitmap = try source.bitmap(index, channels: .asStored)
      var sums = [Sums](repeating: Sums(pixels: bitmap.width * bitmap.height), count: bitmap.channels)
      for channel in 0..<bitmap.channels {
        for place in stride(from: channel, to: bitmap.pixels.count, by: bitmap.channels) {
          let value = Int(bitmap.pixels[place])
          sums[channel].sum += value
          sums[channel].squares += value * value
        }
      }
      return .success(
        (Kind(width: bitmap.width, height: bitmap.height, channels: bitmap.channels), sums, bitmap.isConstant))
    } catch { return .failure(error) }
  }
}
