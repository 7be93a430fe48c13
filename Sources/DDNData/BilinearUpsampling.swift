/// Enlarges square gray images exactly as PIL's `Image.resize(size, BILINEAR)`.
///
/// PIL interpolates rows first, then columns, with weights of 22 fractional bits, and rounds to 8 bits after each pass.
/// Source: Pillow, `src/libImaging/Resample.c` (`precompute_coeffs`, `normalize_coeffs_8bpc`).
struct BilinearUpsampling {
  /// Source and target side in pixels.
  let from: Int
  let to: Int

  /// A target pixel's two source pixels, and their fixed-point weights of sum 2^22.
  private struct Tap {
    var first: Int
    var second: Int
    var firstWeight: Int32
    var secondWeight: Int32
  }

  private static let fractionBits: Int32 = 22
  private static let half: Int32 = 1 << (fractionBits - 1)
  private let taps: [Tap]

  init(from: Int, to: Int) {
    precondition(0 < from && from <= to, "\(from) to \(to) pixels is not an enlargement")
    self.from = from
    self.to = to
    let scale = Double(from) / Double(to)
    taps = (0..<to).map { target in
      let center = (Double(target) + 0.5) * scale
      let start = max(Int(center - 0.5), 0)
      let end = min(Int(center + 1.5), from)
      let triangle = (start..<end).map { max(0, 1 - abs(Double($0) - center + 0.5)) }
      let sum = triangle.reduce(0, +)
      let weights = triangle.map { Int32(0.5 + $0 / sum * Double(1 << Self.fractionBits)) }
      // At the edges there is one source pixel; the second weight is 0.
      return Tap(
        first: start, second: end - 1, firstWeight: weights[0], secondWeight: weights.count > 1 ? weights[1] : 0)
    }
  }

  /// - Parameter images: `[N, from, from]`, flat.
  /// - Returns: `[N, to, to]`, flat.
  func callAsFunction(_ images: [UInt8]) -> [UInt8] {
    let count = images.count / (from * from)
    precondition(images.count == count * from * from, "\(images.count) bytes are not images of \(from) x \(from)")
    return [UInt8](unsafeUninitializedCapacity: count * to * to) { enlarged, filled in
      images.withUnsafeBufferPointer { images in
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: from * to) { wide in
          for index in 0..<count {
            resizeRows(images.baseAddress! + index * from * from, into: wide.baseAddress!)
            resizeColumns(wide.baseAddress!, into: enlarged.baseAddress! + index * to * to)
          }
        }
      }
      filled = count * to * to
    }
  }

  /// `[from, from] -> [from, to]`
  private func resizeRows(_ image: UnsafePointer<UInt8>, into wide: UnsafeMutablePointer<UInt8>) {
    taps.withUnsafeBufferPointer { taps in
      for row in 0..<from {
        let source = image + row * from
        let target = wide + row * to
        for column in 0..<to {
          let tap = taps[column]
          target[column] = Self.blend(source[tap.first], source[tap.second], tap)
        }
      }
    }
  }

  /// `[from, to] -> [to, to]`
  private func resizeColumns(_ wide: UnsafePointer<UInt8>, into enlarged: UnsafeMutablePointer<UInt8>) {
    for row in 0..<to {
      let tap = taps[row]
      let first = wide + tap.first * to
      let second = wide + tap.second * to
      let target = enlarged + row * to
      for column in 0..<to { target[column] = Self.blend(first[column], second[column], tap) }
    }
  }

  /// The sum is in 0...256 * 2^22, so it fits 32 bits.
  @inline(__always)
  private static func blend(_ first: UInt8, _ second: UInt8, _ tap: Tap) -> UInt8 {
    let sum = Int32(first) &* tap.firstWeight &+ Int32(second) &* tap.secondWeight &+ half
    return UInt8(truncatingIfNeeded: min(sum >> fractionBits, 255))
  }
}
