import DDN
import DDNCodes
import DDNGuidance
import DDNPictures
import Foundation
import Images
import Torch

/// The samples of a drawing after a level.
struct DrawnLevel: Encodable, Sendable {
  /// From 1.
  let level: Int
  let of: Int
  /// Data URLs, in the order of the seeds.
  let images: [String]
}

/// The samples of a drawing.
struct DrawnSamples: Encodable, Sendable {
  struct Sample: Encodable, Sendable {
    let seed: UInt64
    let code: String
    let `class`: Int?
    /// A data URL.
    let picture: String
  }

  let model: String
  let samples: [Sample]
  let seconds: Double
}

extension ModelWorker {
  /// Draws samples, all in one batch.
  ///
  /// - Parameters:
  ///   - request: validated.
  ///   - observe: called with every level's images as they are computed.
  /// - Throws: `RequestError` and other errors of the request, see `RequestError.init`; `TorchError`.
  func draw(_ request: DrawRequest, observe: @Sendable (DrawnLevel) -> Void) throws -> DrawnSamples {
    let began = ContinuousClock.now
    let served = try model(request.model)
    try served.check(classIndex: request.class)
    let network = served.network
    let prefix = try request.start.map { try LatentCode(parsing: $0, in: network.codeSpace) }
    let seeds = request.chosenSeeds
    let (codes, pictures) = try bounded { check in
      var last: [String] = []
      func show(_ output: LevelOutput) throws {
        last = try network.enlarged(output.imagesPerSample()).bitmaps().map { try $0.dataURL() }
        observe(DrawnLevel(level: output.level + 1, of: network.codeSpace.levels.count, images: last))
        try check()
      }
      guard let guides = request.guides, !guides.isEmpty else {
        return (try drawFreely(request, served, seeds, prefix, show), last)
      }
      let sampler = GuidedSampler(
        network, guide: try mix(guides, for: served), top: request.top.map { .nodes($0) }, startingWith: prefix)
      let samples = try sampler(
        GuideBatch(targets: nil, targetNumbers: seeds.map { _ in 0 }, seeds: seeds),
        condition: { try served.condition(classIndex: request.class, count: $0.count) }, observe: show)
      return (samples.codes, last)
    }
    return DrawnSamples(
      model: request.model,
      samples: seeds.indices.map {
        .init(seed: seeds[$0], code: codes[$0].description, class: request.class, picture: pictures[$0])
      },
      seconds: (ContinuousClock.now - began) / .seconds(1))
  }

  /// Without guides: likely codes of the prior, or uniform ones.
  private func drawFreely(
    _ request: DrawRequest, _ served: ServedModel, _ seeds: [UInt64], _ prefix: LatentCode?,
    _ observe: (LevelOutput) throws -> Void
  ) throws -> [LatentCode] {
    let network = served.network
    let codes: [LatentCode]
    if let prior = served.prior {
      codes = try prior.codes(
        seeds: seeds, classes: request.class.map { Array(repeating: $0, count: seeds.count) },
        temperature: PriorTemperature(request.temperature ?? 1), startingWith: prefix)
    } else {
      codes = try seeds.map { seed in
        let uniform = LatentCode(seed: seed, in: network.codeSpace)
        let first = prefix?.choices ?? []
        return try LatentCode(first + uniform.choices.dropFirst(first.count), in: network.codeSpace)
      }
    }
    try network.run(
      samples: seeds.count, condition: served.condition(classIndex: request.class, count: seeds.count),
      chooser: GivenChooser(codes.tensors(on: network.device)), observe: observe)
    return codes
  }
}
