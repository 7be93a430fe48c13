import DDN
import DDNData
import Foundation
import Testing
import Torch

@testable import DDNTraining

@Suite("Reading ahead")
struct ReadAheadTests {
  @Test("batches are bit-identical with images in memory or read ahead, and after resuming")
  func sameBits() throws {
    let scratch = try Scratch()
    let archive = scratch.url.appending(path: "digits.zip")
    let digits = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Sources/DDNData/Resources/mnist-test")
    _ = try DatasetConversion(maxImages: 100).write(openImages(digits, split: .test), to: archive)

    func run(cacheBytes: Int, stopAfter: Int?, in folder: RunFolder, _ options: TrainingOptions) throws -> TrainerState
    {
      let images = try ImageDataset(openImages(archive), cacheBytes: cacheBytes)
      let data = try TrainingImages(images, xflip: true, device: .cpu)
      let run = try TrainingRun(options, data: data, folder: folder, device: .cpu)
      _ = try run.resume()
      do { try run.run(shouldStop: { run.trainer.images == stopAfter }) } catch is TrainingError {}
      return try TrainerState(run.trainer)
    }
    let options = SmallTraining.options(images: 320)
    let parts = try RunFolder.create(in: scratch.url, name: "parts", options: options)
    let whole = try RunFolder.create(in: scratch.url, name: "whole", options: options)
    let expected = try run(cacheBytes: 1 << 30, stopAfter: nil, in: whole, options)
    let stopped = try run(cacheBytes: 0, stopAfter: 128, in: parts, options)
    #expect(stopped.images == 128)
    let resumed = try run(cacheBytes: 0, stopAfter: nil, in: parts, options)
    #expect(resumed.images == 320 && resumed == expected, "\(resumed.differences(from: expected))")
  }
}
