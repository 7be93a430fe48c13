import DDNFiles
import Images

/// Images of one size in memory.
struct ImageArray: ImageSource {
  let name: String
  let labels: [Int]?
  let preparation: [String]
  let channels: Int
  let side: Int
  /// `[N, C, side, side]`.
  let pixels: [UInt8]

  var count: Int { pixels.count / (channels * side * side) }

  /// - Parameter pixels: `[N, C, side, side]`.
  init(name: String, channels: Int, side: Int, pixels: [UInt8], labels: [Int]?, preparation: [String] = []) {
    self.preparation = preparation
    precondition(pixels.count % (channels * side * side) == 0, "\(pixels.count) bytes end within an image")
    self.name = name
    self.channels = channels
    self.side = side
    self.pixels = pixels
    self.labels = labels
  }

  init(_ digits: DigitDataset) {
    self.init(
      name: digits.name, channels: 1, side: DigitDataset.side, pixels: digits.images,
      labels: digits.labels.map { Int($0) }, preparation: digits.preparation)
  }

  func name(of index: Int) -> String { "image \(index)" }

  func bitmap(_ index: Int, channels choice: ChannelChoice) throws(FileError) -> Bitmap {
    let area = side * side
    let planes = pixels[index * channels * area..<(index + 1) * channels * area]
    var interleaved: [UInt8] = []  // [side, side, C]
    if channels == 1 {
      interleaved = Array(planes)
    } else {
      interleaved.reserveCapacity(planes.count)
      for place in planes.startIndex..<planes.startIndex + area {
        for channel in 0..<channels { interleaved.append(planes[place + channel * area]) }
      }
    }
    let bitmap = Bitmap(width: side, height: side, channels: channels, pixels: interleaved)
    do { return try bitmap.converted(to: choice) } catch {
      throw FileError(.failed, path: "\(name), image \(index)", error)
    }
  }
}
