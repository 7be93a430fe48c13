import DDN
import Torch

/// Edges as `cv2.Canny(image, 100, 200)` finds them: Sobel gradients, non-maximum suppression, hysteresis.
enum CannyEdges {
  private static let low: Int32 = 100
  private static let high: Int32 = 200
  /// tan(22.5 degrees) with 15 binary places.
  private static let tangent: Int32 = 13573

  /// The indices of edge pixels, in no order.
  ///
  /// - Parameters:
  ///   - gray: `[height * width]` 8-bit pixels.
  ///   - height: at least 1.
  ///   - width: at least 1.
  static func indices(of gray: [UInt8], height: Int, width: Int) -> [Int] {
    var (dx, dy) = ([Int32](repeating: 0, count: gray.count), [Int32](repeating: 0, count: gray.count))
    // With a border of zeros.
    let stride = width + 2
    var magnitudes = [Int32](repeating: 0, count: (height + 2) * stride)
    for row in 0..<height {
      let rows = [max(row - 1, 0) * width, row * width, min(row + 1, height - 1) * width]
      for column in 0..<width {
        let (left, right) = (max(column - 1, 0), min(column + 1, width - 1))
        func pixel(_ row: Int, _ column: Int) -> Int32 { Int32(gray[rows[row] + column]) }
        let x =
          pixel(0, right) - pixel(0, left) + 2 * (pixel(1, right) - pixel(1, left)) + pixel(2, right) - pixel(2, left)
        let y =
          pixel(2, left) - pixel(0, left) + 2 * (pixel(2, column) - pixel(0, column)) + pixel(2, right)
          - pixel(0, right)
        dx[row * width + column] = x
        dy[row * width + column] = y
        magnitudes[(row + 1) * stride + column + 1] = abs(x) + abs(y)
      }
    }

    enum Pixel: UInt8 { case none, weak, edge }
    var map = [Pixel](repeating: .none, count: magnitudes.count)
    var edges: [Int] = []  // In the map; grows while it is followed.
    for row in 0..<height {
      for column in 0..<width {
        let place = (row + 1) * stride + column + 1
        let magnitude = magnitudes[place]
        guard magnitude > low else { continue }
        let (x, y) = (dx[row * width + column], dy[row * width + column])
        // Up to 1020 times 2^15 and 2^17: within 32 bits.
        let (across, up) = (abs(x) * tangent, abs(y) << 15)
        let isMaximum: Bool
        if up < across {
          isMaximum = magnitude > magnitudes[place - 1] && magnitude >= magnitudes[place + 1]
        } else if up > across + (abs(x) << 16) {
          isMaximum = magnitude > magnitudes[place - stride] && magnitude >= magnitudes[place + stride]
        } else {
          let step = (x ^ y) < 0 ? stride - 1 : stride + 1
          isMaximum = magnitude > magnitudes[place - step] && magnitude > magnitudes[place + step]
        }
        guard isMaximum else { continue }
        map[place] = magnitude > high ? .edge : .weak
        if magnitude > high { edges.append(place) }
      }
    }
    var next = 0
    while next < edges.count {
      let place = edges[next]
      next += 1
      for neighbor in [-stride - 1, -stride, -stride + 1, -1, 1, stride - 1, stride, stride + 1]
      where map[place + neighbor] == .weak {
        map[place + neighbor] = .edge
        edges.append(place + neighbor)
      }
    }
    return edges.map { ($0 / stride - 1) * width + $0 % stride - 1 }
  }
}

/// Agreement with the Canny edges of a picture: the share of its edge pixels that are edges, minus that of its others.
///
/// Source: the original's Canny sampler; a constant 1 is left out.
public struct CannyGuide: ImageGuide {
  private let height: Int
  private let width: Int
  /// Of each target, whether a pixel is an edge.
  private let isEdge: [[Bool]]

  /// - Parameter images: `[B, C, H, W]` in [-1, 1].
  public init(_ images: Tensor) throws(TorchError) {
    (height, width) = (images.shape[2], images.shape[3])
    let size = height * width
    let gray = try Self.gray(images)
    isEdge = (0..<images.shape[0]).map { [height, width] image in
      var isEdge = [Bool](repeating: false, count: size)
      let pixels = Array(gray[image * size..<(image + 1) * size])
      for place in CannyEdges.indices(of: pixels, height: height, width: width) { isEdge[place] = true }
      return isEdge
    }
  }

  public var valuesPerImage: Int { height * width }

  public func scores(ofImages images: Tensor, paths: SharedPaths) throws -> Tensor {
    let shape = images.shape  // [R, n, C, h, w]
    let (rows, nodes, size) = (shape[0], shape[1], height * width)
    let gray = try Self.gray(images.reshaped([rows * nodes] + shape[2...]).resizedNearest(height: height, width: width))
    let rowOfSample = try paths.rowOfSample?.array(Int.self) ?? Array(0..<rows)
    let found = (0..<rows * nodes).map { image in
      CannyEdges.indices(
        of: Array(gray[image * size..<(image + 1) * size]), height: height, width: width)
    }
    var scores: [Float] = []
    for (isEdge, row) in zip(isEdge, rowOfSample) {
      let edges = isEdge.count { $0 }
      for node in 0..<nodes {
        let all = found[row * nodes + node]
        let hits = all.count { isEdge[$0] }
        scores.append(Float(hits) / Float(max(edges, 1)) - Float(all.count - hits) / Float(max(size - edges, 1)))
      }
    }
    return try Tensor(scores, shape: [isEdge.count, nodes]).to(images.device)
  }

  /// The mean of the channels as 8-bit pixels, `[N * H * W]`.
  private static func gray(_ images: Tensor) throws(TorchError) -> [UInt8] {
    try ((images.mean([1]) * 127.5) + 128).clamped(0...255).to(.uint8).array()
  }
}

extension GuideKind {
  static let canny = GuideKind("canny", summary: "the target's edges (Canny)", example: "canny") { _, _ in
    PreparedTargetGuide { try CannyGuide($0) }
  }
}
