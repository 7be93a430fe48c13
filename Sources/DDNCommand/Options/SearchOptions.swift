import ArgumentParser
import DDN
import DDNEvaluation
import DDNFiles
import DDNPictures
import Foundation
import Images
import Torch

/// How a command searches codes.
struct SearchOptions: ParsableArguments {
  @Option(
    parsing: .unconditional, help: "Paths that the search keeps; 1 takes the nearest image at each level. (default: 1)",
    transform: wholeNumber(in: 1...4096))
  var beams = 1

  @Option(
    parsing: .unconditional, help: "Levels of a code, from the first. (default: all)",
    transform: wholeNumber(atLeast: 1))
  var levels: Int?

  @Option(
    parsing: .unconditional, help: "PSNR in dB that is enough: as many levels as it takes.",
    transform: number(to: 200))
  var psnr: Double?

  @Option(
    parsing: .unconditional,
    help: "What a bit of the prior costs, as a mean squared error: choices that take fewer bits are preferred.",
    transform: number())
  var lambda: Double?

  @Option(help: "Gray picture that says which pixels count: white fully, black not at all; of any size.")
  var weight: String?

  /// - Parameters:
  ///   - model: whose codes are searched.
  ///   - prior: the codes are written with; nil for none.
  ///   - device: of the model.
  /// - Throws: `UsageError` for more levels than the model has, and for a price without a prior; `FileError` for a weight that cannot be read or is black.
  func search(of model: Model, prior: (any CodePrior)?, device: Device) throws -> CodeSearch {
    var search = CodeSearch()
    search.beams = beams
    if let levels, levels > model.network.codeSpace.levels.count {
      throw UsageError("--levels \(levels): this model has \(model.network.codeSpace.levels.count)")
    }
    search.levels = levels
    if let lambda {
      guard let prior else {
        throw UsageError("--lambda is the price of a prior's bits, and there is none; train one with ddn prior train")
      }
      search.price = CodeSearch.Price(prior: prior, lambda: lambda)
    }
    guard let weight else { return search }
    let shape = model.network.imageShape
    let picture = try PNG.read(URL(fileURLWithPath: weight), channels: .gray).resized(width: shape[2], height: shape[1])
    guard picture.pixels.contains(where: { $0 > 0 }) else {
      throw FileError(
        .invalid, path: weight, problem: "is black: no pixel counts", remedy: "paint white what should count")
    }
    search.weight = try (Tensor(picture.pixels, shape: [1, 1, shape[1], shape[2]]).to(.float32) * (1 / 255)).to(device)
    return search
  }

  /// Codes with as many levels as the PSNR takes.
  struct Cut {
    let codes: [LatentCode]
    /// `[B, C, H, W]`, the codes' images.
    let images: Tensor
    /// Images that stay below the PSNR with all levels.
    let below: Int
  }

  /// - Parameters:
  ///   - result: with all levels.
  ///   - targets: `[B, C, H, W]` in [-1, 1].
  ///   - network: of the codes.
  func cut(_ result: Reconstruction, targets: Tensor, by network: any DiscreteDistributionNetwork) throws -> Cut {
    let last = try network.enlarged(result.levels.last!)
    guard let psnr else { return Cut(codes: result.codes, images: last, below: 0) }
    let bound = 4 / pow(10, psnr / 10)
    var ends = Array(repeating: result.levels.count, count: result.codes.count)
    var isOpen = Array(repeating: true, count: ends.count)
    let images = try last.cloned()
    for (level, chosen) in result.levels.enumerated() {
      let enlarged = try network.enlarged(chosen)
      let errors = try (enlarged.written() - targets).squared().mean([1, 2, 3]).array(Double.self)
      let rows = ends.indices.filter { isOpen[$0] && errors[$0] <= bound }
      guard !rows.isEmpty else { continue }
      for row in rows { (ends[row], isOpen[row]) = (level + 1, false) }
      let index = try Tensor(rows, shape: [rows.count]).to(targets.device)
      try images.copyRows(at: index, from: enlarged.gathered(index))
    }
    return Cut(
      codes: zip(result.codes, ends).map { $0.prefix($1) }, images: images, below: isOpen.filter { $0 }.count)
  }
}
