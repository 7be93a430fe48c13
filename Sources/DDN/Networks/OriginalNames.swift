/// The original program's parameter names of the MNIST network and the pyramid, for its weights and golden numbers.
public enum OriginalNames {
  /// Modules of a U-Net: our name, the original's.
  private static let modules: [(String, String)] = [
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

  /// Submodules: our name, the original's. `units` has none there.
  private static let submodules = ["units": "", "norm": "ln", "convolution": "conv1", "first": "0", "second": "2"]

  /// The original's name of a parameter of `RecurrentNetwork`; nil when it has none.
  ///
  /// `stacks.0.encoder16.units.1.norm.weight` is `ddn_seqen.0.b2.1.ln.weight` there.
  public static func recurrent(_ name: String) -> String? {
    let path = name.split(separator: ".").map(String.init)
    guard path.count >= 3, path[0] == "stacks", let module = modules.first(where: { $0.0 == path[2] }) else {
      return nil
    }
    let rest = path[3...].map { submodules[$0] ?? $0 }.filter { !$0.isEmpty }
    return (["ddn_seqen", path[1], module.1] + rest).joined(separator: ".")
  }

  /// Modules of a pyramid level: our name, the original's.
  private static let pyramidModules = [
    "block.firstNorm": "block.norm0", "block.firstConvolution": "block.conv0",
    "block.secondNorm": "block.norm1", "block.secondConvolution": "block.conv1",
    "block.skip": "block.skip", "layer": "ddo.multi_out_conv1x1",
  ]

  /// The original's name of a parameter of a `PyramidNetwork` with these levels; nil when it has none.
  ///
  /// `levels.3.block.firstNorm.weight` is `model.block_4x4_0_up.block.norm0.weight` there.
  public static func pyramid(_ name: String, levels: [PyramidLevel]) -> String? {
    let path = name.split(separator: ".").map(String.init)
    guard path.count >= 4, path[0] == "levels", let level = Int(path[1]), levels.indices.contains(level),
      let module = pyramidModules[path[2..<path.count - 1].joined(separator: ".")]
    else { return nil }
    return "model.block_\(levels[level].name).\(module).\(path.last!)"
  }
}
