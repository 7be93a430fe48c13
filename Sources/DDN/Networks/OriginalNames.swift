/// The names that the original program gives to the parameters of its MNIST network and of its pyramid.
///
/// Ours say what a part does; this table is for weights made by the original, and for its golden numbers.
public enum OriginalNames {
  /// Parts of one U-Net: ours, theirs.
  private static let parts: [(String, String)] = [
    ("classTable", "class_embed.weight"),
    ("imageShift", "te1"), ("imageEncoder", "b1"),
    ("featureEncoder", "b1_previous_last"), ("leakEncoder", "b1_leak_choice"),
    ("down32", "down1"), ("shift16", "te2"), ("encoder16", "b2"),
    ("down16", "down2"), ("shift8", "te3"), ("encoder8", "b3"),
    ("down8", "down3"), ("shift4", "te_mid"), ("middle", "b_mid"),
    ("up4", "up1"), ("decoderShift8", "te4"), ("decoder8", "b4"),
    ("up8", "up2"), ("decoderShift16", "te5"), ("decoder16", "b5"),
    ("up16", "up3"), ("decoderShift32", "te_out"), ("decoder32", "b_out"),
    ("layer", "ddo.multi_out_conv1x1"),
  ]

  /// The steps inside a part: ours, theirs. `units` has no counterpart: the original numbers the part itself.
  private static let steps = ["units": "", "norm": "ln", "convolution": "conv1", "first": "0", "second": "2"]

  /// The original's name of a parameter of `RecurrentNetwork`; nil for a name that it does not have.
  ///
  /// `stacks.0.encoder16.units.1.norm.weight` is `ddn_seqen.0.b2.1.ln.weight` there.
  public static func recurrent(_ name: String) -> String? {
    let path = name.split(separator: ".").map(String.init)
    guard path.count >= 3, path[0] == "stacks", let part = parts.first(where: { $0.0 == path[2] }) else { return nil }
    let rest = path[3...].map { steps[$0] ?? $0 }.filter { !$0.isEmpty }
    return (["ddn_seqen", path[1], part.1] + rest).joined(separator: ".")
  }

  /// Parts of a level of the pyramid: ours, theirs.
  private static let pyramidParts = [
    "block.firstNorm": "block.norm0", "block.firstConvolution": "block.conv0",
    "block.secondNorm": "block.norm1", "block.secondConvolution": "block.conv1",
    "block.skip": "block.skip", "layer": "ddo.multi_out_conv1x1",
  ]

  /// The original's name of a parameter of a `PyramidNetwork` with these levels; nil for a name that it does not have.
  ///
  /// `levels.3.block.firstNorm.weight` is `model.block_4x4_0_up.block.norm0.weight` there.
  public static func pyramid(_ name: String, levels: [PyramidLevel]) -> String? {
    let path = name.split(separator: ".").map(String.init)
    guard path.count >= 4, path[0] == "levels", let level = Int(path[1]), levels.indices.contains(level),
      let part = pyramidParts[path[2..<path.count - 1].joined(separator: ".")]
    else { return nil }
    return "model.block_\(levels[level].name).\(part).\(path.last!)"
  }
}
