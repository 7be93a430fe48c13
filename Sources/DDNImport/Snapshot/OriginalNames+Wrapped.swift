import DDN

extension OriginalNames {
  /// A state dictionary by the original's own names, whatever it was wrapped in: `module.` of DataParallel, `_orig_mod.`
  /// of torch.compile, `net.` of another program, a pyramid without DDNPrecond's `model.`.
  ///
  /// A prefix is dropped only where all names have it. `time_embed`, the class table's name in MNIST networks until June
  /// 2025, becomes `class_embed`; its first ten rows are the classes.
  static func unwrapped(_ state: [String: OriginalTensor]) -> [String: OriginalTensor] {
    guard let first = state.keys.min(), let match = first.firstMatch(of: /block_[0-9]+x[0-9]+_|ddn_seqen\.[0-9]/) else {
      return state
    }
    let prefix = first[..<match.range.lowerBound]
    let isPyramid = match.0.hasPrefix("block_")
    guard state.keys.allSatisfy({ $0.hasPrefix(prefix + (isPyramid ? "block_" : "ddn_seqen.")) }) else { return state }
    var unwrapped: [String: OriginalTensor] = [:]
    for (name, tensor) in state {
      let own = name.dropFirst(prefix.count)
      if isPyramid {
        unwrapped["model.\(own)"] = tensor
      } else if let old = own.wholeMatch(of: /(ddn_seqen\.[0-9]+\.)time_embed\.weight/),
        state["\(prefix)\(old.1)class_embed.weight"] == nil
      {
        unwrapped["\(old.1)class_embed.weight"] = tensor.firstRows(10)
      } else {
        unwrapped[String(own)] = tensor
      }
    }
    return unwrapped
  }
}

extension OriginalTensor {
  /// The first rows of a table, or the tensor itself where it has no more.
  fileprivate func firstRows(_ count: Int) -> OriginalTensor {
    guard shape.count == 2, shape[0] > count else { return self }
    return OriginalTensor(dtype: dtype, shape: [count, shape[1]], bytes: bytes.prefix(count * shape[1] * dtype.size))
  }
}
