/// Reads choices from a message that may lack its end, as far as the bytes that are there decide them.
///
/// It decodes twice, as if zeros followed and as if ones did: a choice is certain while both agree.
struct ChoiceReader {
  private var decoder: RangeDecoder
  private var other: RangeDecoder?

  /// - Parameters:
  ///   - bytes: the message, or its beginning.
  ///   - isWhole: whether nothing is missing.
  init(_ bytes: [UInt8], isWhole: Bool) {
    decoder = RangeDecoder(bytes)
    other = isWhole ? nil : RangeDecoder(bytes, filler: 255)
  }

  /// A choice among equally likely ones; nil when it lies beyond the end.
  @inline(__always)
  mutating func read(of count: Int) -> Int? {
    let choice = decoder.decode(of: count)
    return other == nil || other!.decode(of: count) == choice ? choice : nil
  }

  /// A choice with given frequencies; nil when it lies beyond the end.
  mutating func read(_ frequencies: ArraySlice<UInt32>) -> Int? {
    let choice = decoder.decode(frequencies)
    return other == nil || other!.decode(frequencies) == choice ? choice : nil
  }
}
