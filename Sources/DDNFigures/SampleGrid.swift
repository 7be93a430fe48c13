import Images

/// Pictures side by side, as square as they fit.
public enum SampleGrid {
  /// - Parameter columns: nil for the square root of the number of pictures.
  public static func draw(_ images: [Bitmap], columns: Int? = nil, zoom: Int = 2) throws(ImageError) -> Bitmap {
    let square = Int(Double(images.count).squareRoot().rounded(.up))
    return try Grid(columns: columns ?? square, gap: 2, zoom: zoom).draw(images)
  }
}
