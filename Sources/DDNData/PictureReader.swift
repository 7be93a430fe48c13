import DDNFiles
import Images

/// Decodes pictures of a source on all cores.
public enum PictureReader {
  /// The pictures at `indices`, in order, gray or RGB as stored.
  ///
  /// - Parameters:
  ///   - indices: of the pictures.
  ///   - source: holds them.
  /// - Throws: `FileError` naming the first picture that cannot be decoded.
  public static func bitmaps(_ indices: some Collection<Int>, of source: any ImageSource) throws(FileError) -> [Bitmap]
  {
    let indices = Array(indices)
    let decoded = parallelMap(indices.count) { place -> Bitmap? in
      try? source.bitmap(indices[place], channels: .asStored)
    }
    var bitmaps: [Bitmap] = []
    bitmaps.reserveCapacity(indices.count)
    for (place, bitmap) in decoded.enumerated() {
      // Read again alone, because threads share libvips's error buffer.
      if let bitmap {
        bitmaps.append(bitmap)
      } else {
        bitmaps.append(try source.bitmap(indices[place], channels: .asStored))
      }
    }
    return bitmaps
  }
}
