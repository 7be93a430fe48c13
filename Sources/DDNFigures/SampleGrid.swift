import Images

/// A grid of images, by default square.
public enum SampleGrid {
  /// - Parameters:
  ///   - images: all of one size.
  ///   - columns: nil for the square root of the number of images.
  ///   - zoom: screen pixels per pixel.
  public static func draw(_ images: [Bitmap], columns: Int? = nil, zoom: Int = 2) throws(ImageError) -> Bitmap {
    let square = Int(Double(images.count).squareRoot().rounded(.up))
    return try Grid(columns: columns ?? square, gap: 2, zoom: zoom).draw(images)
  }
}
