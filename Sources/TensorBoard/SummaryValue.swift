import Foundation

/// A value of an event: what TensorBoard draws under a tag.
package struct SummaryValue: Sendable {
  package enum Content: Sendable {
    case scalar(Double)
    case picture(PNGPicture)
    case histogram(Histogram)
  }

  /// TensorBoard groups tags by the part before a slash.
  package let tag: String
  package let content: Content

  package init(_ tag: String, _ content: Content) {
    self.tag = tag
    self.content = content
  }

  var message: ProtoSummary.Value {
    var message = ProtoSummary.Value()
    message.tag = tag
    switch content {
    case .scalar(let value): message.simpleValue = Float(value)
    case .picture(let picture): message.image = picture.message
    case .histogram(let histogram): message.histo = histogram.message
    }
    return message
  }
}

/// A PNG file and its size.
package struct PNGPicture: Sendable {
  let file: Data
  let width: Int
  let height: Int
  let channels: Int

  /// - Parameters:
  ///   - file: a PNG file's bytes.
  ///   - width: in pixels.
  ///   - height: in pixels.
  ///   - channels: 1 (gray) or 3 (RGB).
  package init(file: Data, width: Int, height: Int, channels: Int) {
    self.file = file
    self.width = width
    self.height = height
    self.channels = channels
  }

  fileprivate var message: ProtoImage {
    var message = ProtoImage()
    message.height = Int32(height)
    message.width = Int32(width)
    message.colorspace = Int32(channels)
    message.encodedImageString = file
    return message
  }
}

/// The distribution of values that are not negative, in buckets of equal width from 0.
package struct Histogram: Sendable, Equatable {
  let values: [Double]
  private static let buckets = 30

  /// - Parameter values: at least one; finite, not negative.
  package init(_ values: [Double]) {
    precondition(!values.isEmpty && values.allSatisfy { $0 >= 0 && $0.isFinite }, "no values for a histogram")
    self.values = values
  }

  fileprivate var message: ProtoHistogram {
    let most = values.max()!
    let width = most > 0 ? most / Double(Self.buckets) : 1
    var counts = [Double](repeating: 0, count: Self.buckets)
    for value in values { counts[min(Int(value / width), Self.buckets - 1)] += 1 }
    var message = ProtoHistogram()
    message.min = values.min()!
    message.max = most
    message.num = Double(values.count)
    message.sum = values.reduce(0, +)
    message.sumSquares = values.reduce(0) { $0 + $1 * $1 }
    message.bucketLimit = (1...Self.buckets).map { Double($0) * width }
    message.bucket = counts
    return message
  }
}
