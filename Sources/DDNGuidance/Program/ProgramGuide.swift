import DDN
import DDNFiles
import Foundation
import Torch

extension GuideKind {
  /// A guide that a program of the user's is: it reads images and answers with scores.
  public static let program = GuideKind(
    "program", summary: "scores of an external program, which gets images as raw float32",
    example: "program:python3 darkest.py",
    value: "a shell command", options: [("timeout", "seconds for each answer; 30 unless given")],
    prepare: { arguments, _ in
      guard let command = arguments.value(), !command.isEmpty else { throw arguments.error("needs a shell command") }
      let timeout = try arguments.numberOption("timeout", in: 0.1...86400, default: 30)
      let program = try GuideProgram(
        command, timeout: timeout, showErrors: { try? FileHandle.standardError.write(contentsOf: $0) },
        failure: { [text = arguments.text] in GuideError(.failed, "--guide \(text): \($0)") })
      return PreparedProgram(program: program)
    })
}

/// One program serves all batches of a run.
private struct PreparedProgram: PreparedGuide {
  let program: GuideProgram

  func guide(for batch: GuideBatch) -> any Guide { ProgramGuide(program, batch: batch) }
}

/// The scores of an external program, which gets the images of a bounded number of nodes at a time.
final class ProgramGuide: Guide {
  private let program: GuideProgram
  private let batch: GuideBatch
  private let number: Int
  private let limit: Int

  /// - Parameters:
  ///   - program: serves other batches, too.
  ///   - batch: the program learns of it before the first request.
  ///   - limit: the most pixel values in a request, where one node has not more; 64 MB unless given.
  init(_ program: GuideProgram, batch: GuideBatch, limit: Int = 1 << 24) {
    self.program = program
    self.batch = batch
    self.limit = limit
    number = program.newBatchNumber()
  }

  func scores(of candidates: Candidates) throws -> Tensor {
    precondition(candidates.samples == batch.count, "\(candidates.samples) images in a batch of \(batch.count)")
    let ofNode = candidates.samples * candidates.imageShape.reduce(1, *)
    let count = max(1, min(candidates.nodes, limit / ofNode))
    let parts = try stride(from: 0, to: candidates.nodes, by: count).map { first in
      let images = try candidates.images(of: first..<min(first + count, candidates.nodes))  // [R, n, C, h, w]
      return try scores(ofImages: candidates.paths.perSample(images), level: candidates.level + 1, first: first)
    }
    return try Tensor.concatenate(parts, dimension: 1).to(candidates.device)
  }

  /// `[B, n, C, h, w]` to `[B, n]`; the level is from 1, as users count.
  private func scores(ofImages images: Tensor, level: Int, first: Int) throws -> Tensor {
    let shape = images.shape
    var request = [
      try ScoreHeader(
        level: level, first: first, batch: shape[0], nodes: shape[1], channels: shape[2], height: shape[3],
        width: shape[4]
      ).line(), try images.to(.float32).bytes(),
    ]
    if program.begins(batch: number) { request = try batchMessage() + request }
    let scores = try program.scores(shape[0] * shape[1], for: request, at: "level \(level)")
    if let place = scores.firstIndex(where: { !$0.isFinite }) {
      let (image, node) = (place / shape[1], first + place % shape[1])
      throw program.fail("at level \(level) it scored node \(node) of image \(image) as \(scores[place])")
    }
    return try Tensor(scores, shape: [shape[0], shape[1]])
  }

  private func batchMessage() throws -> [Data] {
    let shape = batch.targets?.shape
    let header = BatchHeader(
      batch: batch.count, targets: shape != nil, channels: shape?[1], height: shape?[2], width: shape?[3],
      seeds: batch.seeds)
    return try [header.line()] + (batch.targets.map { [try $0.to(.float32).bytes()] } ?? [])
  }
}

/// Begins a batch; the targets follow, `[batch, channels, height, width]`, if there are any.
private struct BatchHeader: Header {
  var kind = "batch"
  var version = 1
  let batch: Int
  let targets: Bool
  let channels: Int?
  let height: Int?
  let width: Int?
  let seeds: [UInt64]
}

/// Asks for the scores of the images that follow, `[batch, nodes, channels, height, width]`.
private struct ScoreHeader: Header {
  var kind = "score"
  let level: Int
  let first: Int
  let batch: Int
  let nodes: Int
  let channels: Int
  let height: Int
  let width: Int
}

private protocol Header: Encodable {}

extension Header {
  /// One line of JSON.
  func line() throws -> Data {
    return try JSONEncoder.oneLine.encode(self) + [UInt8(ascii: "\n")]
  }
}
