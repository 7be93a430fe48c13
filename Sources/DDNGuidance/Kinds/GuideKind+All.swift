extension GuideKind {
  /// All kinds, those that are linear in the image first.
  public static let all: [GuideKind] = [
    .pixels, .mask, .superResolution, .gray, .blur, .motionBlur, .kernelBlur, .noise, .lowBit, .strokes, .randomPixels,
    .absolute, .edges, .canny, .sketch, .classNumber, .style, .perceptual, .clip, .script, .program,
  ]

  /// The kind of a name, such as "mask"; nil when there is none.
  public static func named(_ name: String) -> GuideKind? { all.first { $0.name == name } }
}
