import DDN

extension OriginalNames {
  /// Removes a prefix that all names share, such as DataParallel's `module.` or torch.compile's `_orig_mod.`; adds
  /// DDNPrecond's `model.` to a pyramid without it.
  ///
  /// `time_embed`, the MNIST networks' class embedding until June 2025, becomes `class_embed`; its first ten rows are the
  /// classes.
  static func unwrapped(_ state: [String: OriginalTensor]) -> [String: OriginalTensor] {
    guard let first = state.keys.min(), let match = first.firstMatch(of: /block_[0-9]+x[0-9]+_|ddn_seqen\.[0-9]/) else {
      return state
    }
    let prefix = first[..<match.range.lowerBound]
    let isPyramid = match.0.hasPrefix("block_")
    guard state.keys.allSatisfy({ $0.hasPrefix(prefix + (isPyramid ? "block_" : "ddn_seqen.")) }) else { return state }
    var unwrapped: [String: OriginalTensor] = [:]
    for (name, tensor) in state {
      let bare = name.dropFirst(prefix.count)
      if isPyramid {
        unwrapped["model.\(bare)"] = tensor
      } else if let old = bare.wholeMatch(of: /(ddn_seqen\.[0-9]+\.)time_embed\.weight/),
        state["\(prefix)\(old.1)class_embed.weight"] == nil
      {
        unwrapped["\(old.1)class_embed.weight"] = tensor.firstRows(10)
      } else {
        unwrapped[String(bare)] = tensor
      }
    }
    return unwrapped
  }
}

extension OriginalTensor {
  /// At most the first `count` rows.
  fileprivate func firstRows(_ count: Int) -> OriginalTensor {
    guard shape.count == 2, shape[0] > count else { return self }
    return OriginalTensor(dtype: dtype, shape: [count, shape[1]], bytes: bytes.prefix(count * shape[1] * dtype.size))
  }
}
