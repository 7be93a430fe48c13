import DDN

extension Row {
  /// All rows, cheap ones first.
  ///
  /// Wanted ratios are this project's goals; 1 means "not slower".
  public static let all: [Row] =
    layers(nodes: 64, channels: 1, nodeInputs: 16, side: 32, batch: 64, wanted: (forward: 10, training: 20))
    + layers(nodes: 512, channels: 3, nodeInputs: 128, side: 32, batch: 8, wanted: (forward: 12, training: 20))
    + layers(nodes: 256, channels: 3, nodeInputs: 64, side: 64, batch: 4, wanted: (forward: 40, training: 50))
    + layers(nodes: 512, channels: 3, nodeInputs: 128, side: 16, batch: 8, wanted: (forward: 1, training: 1))
    + layers(nodes: 512, channels: 3, nodeInputs: 128, side: 8, batch: 8, wanted: (forward: 1, training: 1))
    + layers(nodes: 512, channels: 3, nodeInputs: 128, side: 4, batch: 8, wanted: (forward: 1, training: 1))
    + manyNodes
    + digits
    + pyramids(.init(resolution: 8, channelMaximum: 32), wanted: (run: 1, training: 1))
    // CIFAR-10's: 76,291,840 parameters.
    + pyramids(.init(resolution: 32), wanted: (run: 1.2, training: 1.2), inBfloat16: (run: 2, training: 2))
    // 109,379,712 parameters.
    + pyramids(
      .init(resolution: 64, maxNodes: 512), wanted: (run: 2, training: 1.7), inBfloat16: (run: 3.5, training: 3))
    + guides(.init(resolution: 8, channelMaximum: 32), wanted: 1)
    // Guides that are linear in the image cost about as much as encoding.
    + [Row(PyramidWork(.encode, .init(resolution: 32, maxNodes: 512), batch: 4), wanted: 1.2)]
    + guides(.init(resolution: 32, maxNodes: 512), wanted: 5)
    + guides(.init(resolution: 64, maxNodes: 512), wanted: 5)
    // Any guide that needs images, for its memory.
    + [Row(GuideWork("l1", .init(resolution: 64, maxNodes: 512), batch: 8), wanted: 1)]
    + [Row(CodingWork(nodes: 64, levels: 10, images: 1_000_000), wanted: 0.1)]
    + [
      Row(DensityWork(nodes: 1000), wanted: 1000),
      Row(DensityWork(nodes: 2000), wanted: 1000),
      Row(DensityWork(nodes: 10_000), wanted: 1000),
      Row(DensityWork(nodes: 1_000_000), wanted: 1),
      Row(SearchWork(.index)),
      Row(SearchWork(.scan)),
    ]

  private static let digits: [Row] = [
    Row(.train(nodes: 64, levels: 10, batch: 64, model: "mnist-recurrent"), wanted: 2),
    Row(.train(nodes: 8, levels: 3, batch: 128, model: "mnist-k8-l3-recurrent"), wanted: 4),
    Row(.train(nodes: 8, levels: 3, batch: 512, model: "mnist-k8-l3-recurrent"), wanted: 18),
    Row(.train(nodes: 64, levels: 10, width: 32, batch: 32, model: nil), wanted: 2),
    Row(.encode(nodes: 8, levels: 3, images: 10_000, batch: 2000, model: "mnist-k8-l3-recurrent"), wanted: 50),
    Row(.encode(nodes: 64, levels: 10, images: 100, batch: 100, model: "mnist-recurrent"), wanted: 3),
    Row(.generate(nodes: 64, levels: 10, images: 100, model: "mnist-recurrent"), wanted: 4),
    Row(ProcessWork(images: 100), wanted: 10),
    Row(.train(nodes: 64, levels: 10, batch: 64, model: "mnist-recurrent", isOriginalCompiled: true), wanted: 2),
    Row(.train(nodes: 8, levels: 3, batch: 512, model: "mnist-k8-l3-recurrent", isOriginalCompiled: true), wanted: 18),
  ]

  /// How a layer's time grows with K; Split-and-Prune's table of K x K allows training up to some 20,000.
  private static let manyNodes =
    [512, 4096, 65_536].map {
      Row(LayerWork(.forward, nodes: $0, channels: 3, nodeInputs: 64, side: 8, batch: 4), wanted: 1)
    }
    + [512, 4096].map {
      Row(LayerWork(.training, nodes: $0, channels: 3, nodeInputs: 64, side: 8, batch: 4), wanted: 1)
    }

  private static func guides(_ configuration: PyramidNetwork.Configuration, wanted: Double) -> [Row] {
    ["sr:4", "mask:top", "gray"].map { Row(GuideWork($0, configuration, batch: 4), wanted: wanted) }
  }

  /// - Parameters:
  ///   - wanted: ratios of encoding and generating, and of training.
  ///   - inBfloat16: ratios in bfloat16; nil for the same.
  private static func pyramids(
    _ configuration: PyramidNetwork.Configuration, wanted: (run: Double, training: Double),
    inBfloat16: (run: Double, training: Double)? = nil
  ) -> [Row] {
    [NetworkWork.Job.encode, .generate, .train].map { job in
      Row(
        PyramidWork(job, configuration, batch: 4), wanted: job == .train ? wanted.training : wanted.run,
        inBfloat16: job == .train ? inBfloat16?.training : inBfloat16?.run)
    }
  }

  private static func layers(
    nodes: Int, channels: Int, nodeInputs: Int, side: Int, batch: Int, wanted: (forward: Double, training: Double)
  ) -> [Row] {
    [(LayerWork.Job.forward, wanted.forward), (.training, wanted.training)].map { job, ratio in
      Row(
        LayerWork(job, nodes: nodes, channels: channels, nodeInputs: nodeInputs, side: side, batch: batch),
        wanted: ratio)
    }
  }
}
