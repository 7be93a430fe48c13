import Torch

extension DiscreteDistributionNetwork {
  /// Decodes codes to images: `[B, C, H, W]` in [-1, 1].
  ///
  /// A code that ends early gives the image of its last level, enlarged (bilinear) to the final size.
  ///
  /// - Parameters:
  ///   - codes: at least one, each with at least one level.
  ///   - classes: one per code, for a network with classes; nil for no class.
  ///   - sources: `[B, C, H, W]` in [-1, 1], images to compute conditions from.
  /// - Throws: `LatentCodeError` when a code or a class does not fit the network; `ConditionError` when condition
  ///   images are missing or of another shape; `TorchError`.
  public func decode(_ codes: [LatentCode], classes: [Int]? = nil, sources: Tensor? = nil) throws -> Tensor {
    guard !codes.isEmpty else { throw LatentCodeError("there are no codes to decode") }
    for code in codes where code.space != codeSpace { try codeSpace.validate(code.choices) }
    if let classes, classes.count != codes.count || !classes.allSatisfy({ (0..<self.classes).contains($0) }) {
      throw LatentCodeError("\(classes.count) classes for \(codes.count) codes do not fit 0..<\(self.classes)")
    }
    let ends = codes.map(\.levelCount)
    let levels = ends.max()!
    // Shorter codes go on with any choice; their image is taken before.
    let padded = codes.map { code in
      LatentCode(unchecked: code.choices + Array(repeating: 0, count: levels - code.levelCount), in: codeSpace)
    }
    return try withoutGradients {
      let classTensor = try classes.map { try Tensor($0, shape: [codes.count]).to(device) }
      let chooser = GivenChooser(try padded.tensors(on: device))
      var run = try begin(samples: codes.count, condition: condition(classes: classTensor, sources: sources))
      if ends.allSatisfy({ $0 == levels }) {
        while run.level < levels { try run.advance(by: chooser) }
        return try enlarged(run.paths.perSample(run.images!))
      }
      let images = try Tensor.zeros([codes.count] + imageShape, device: device)
      while run.level < levels {
        try run.advance(by: chooser)
        let rows = ends.indices.filter { ends[$0] == run.level }
        guard !rows.isEmpty else { continue }
        let rowTensor = try Tensor(rows, shape: [rows.count]).to(device)
        try images.copyRows(at: rowTensor, from: enlarged(run.paths.perSample(run.images!).gathered(rowTensor)))
      }
      return images
    }
  }

  /// A level's images at the size of the final ones.
  ///
  /// - Parameter images: `[B, C, h, w]`.
  public func enlarged(_ images: Tensor) throws(TorchError) -> Tensor {
    if Array(images.shape.dropFirst()) == imageShape { return images }
    return try images.resizedBilinear(height: imageShape[1], width: imageShape[2])
  }
}
