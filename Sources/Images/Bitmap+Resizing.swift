import CVips

/// How a picture's pixels become another number of pixels.
public enum ResamplingFilter: String, Sendable, CaseIterable {
  /// Lanczos with 3 lobes where it shrinks, bicubic where it grows.
  case lanczos
  /// The mean of what each new pixel covers.
  case box
}

extension Bitmap {
  /// Stretched to another size.
  ///
  /// - Throws: `ImageError` with libvips's reason.
  public func resized(
    width: Int, height: Int, filter: ResamplingFilter = .lanczos
  ) throws(ImageError) -> Bitmap {
    precondition(width > 0 && height > 0, "a bitmap of \(width) x \(height) has no pixels")
    if (width, height) == (self.width, self.height) { return self }
    switch filter {
    case .lanczos: return try lanczos(width: width, height: height)
    case .box: return boxed(width: width, height: height)
    }
  }

  private func lanczos(width: Int, height: Int) throws(ImageError) -> Bitmap {
    var resized: UnsafeMutablePointer<UInt8>?
    try Vips.run("this picture cannot be resized to \(width) x \(height)", remedy: "choose another size") {
      cvips_resize(
        pixels, Int32(self.width), Int32(self.height), Int32(channels), Int32(width), Int32(height), &resized)
    }
    return Bitmap(
      width: width, height: height, channels: channels,
      pixels: Vips.take(resized!, count: width * height * channels))
  }

  /// Columns first, then rows; rounded once, at the end.
  private func boxed(width: Int, height: Int) -> Bitmap {
    let columns = BoxTaps(from: self.width, to: width)
    let rows = BoxTaps(from: self.height, to: height)
    let rowLength = width * channels
    var narrowed = [Float](repeating: 0, count: self.height * rowLength)  // [self.height, width, C]
    for row in 0..<self.height {
      for column in 0..<width {
        for tap in columns.taps(of: column) {
          let source = (row * self.width + tap.place) * channels
          let target = row * rowLength + column * channels
          for channel in 0..<channels { narrowed[target + channel] += tap.weight * Float(pixels[source + channel]) }
        }
      }
    }
    var sums = [Float](repeating: 0, count: height * rowLength)  // [height, width, C]
    for row in 0..<height {
      for tap in rows.taps(of: row) {
        for place in 0..<rowLength {
          sums[row * rowLength + place] += tap.weight * narrowed[tap.place * rowLength + place]
        }
      }
    }
    return Bitmap(
      width: width, height: height, channels: channels, pixels: sums.map { UInt8(min(255, $0.rounded())) })
  }
}

/// Which old pixels a new one covers, and how much of it each makes up.
private struct BoxTaps {
  let from: Int
  let to: Int

  func taps(of target: Int) -> [(place: Int, weight: Float)] {
    let scale = Double(from) / Double(to)
    let (start, end) = (Double(target) * scale, Double(target + 1) * scale)
    return (Int(start)..<min(from, Int(end.rounded(.up)))).map { place in
      (place, Float((min(end, Double(place + 1)) - max(start, Double(place))) / scale))
    }
  }
}

extension Bitmap {
  /// The largest square in the middle.
  public func centerSquare() -> Bitmap { centered(width: min(width, height), height: min(width, height)) }

  /// The part in the middle.
  public func centered(width: Int, height: Int) -> Bitmap {
    cropped(x: (self.width - width) / 2, y: (self.height - height) / 2, width: width, height: height)
  }
}
