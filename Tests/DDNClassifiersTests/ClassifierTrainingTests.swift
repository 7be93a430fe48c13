import DDNData
import DDNFiles
import Foundation
import Testing
import Torch

@testable import DDNClassifiers

@Suite("Training a classifier")
struct ClassifierTrainingTests {
  @Test("it lowers the loss, and reads most of the digits that it has not seen") func learning() throws {
    let trainer = try SmallDigits.trainer(images: 8_000, side: 16, of: 2_000)
    var losses: [Double] = []
    while !trainer.isFinished {
      try trainer.step()
      if trainer.images % 2_000 == 0 { losses.append(try trainer.takeStatistics()!.loss) }
    }
    #expect(losses.count == 4 && losses[3] < 0.7 * losses[0])
    let matrix = try ConfusionMatrix(of: SmallDigits.images(tests: 500), by: trainer.classifier())
    #expect(matrix.count == 500 && matrix.accuracy > 0.8, "\(matrix.accuracy)")
  }

  @Test("a resumed run has the weights of an uninterrupted one") func resuming() throws {
    let folder = try SmallDigits.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let whole = try SmallDigits.trainer(images: 500, blurShare: 0.3)
    while !whole.isFinished { try whole.step() }

    var steps = 0
    let first = try ClassifierRun(SmallDigits.trainer(images: 500, blurShare: 0.3), in: folder)
    let isFinished = try first.run(shouldStop: {
      steps += 1
      return steps == 4
    })
    #expect(!isFinished && first.trainer.images == 200)
    let second = try SmallDigits.trainer(images: 500, blurShare: 0.3)
    try second.resume(from: folder.appending(path: ClassifierRun.stateName))
    #expect(second.images == 200)
    while !second.isFinished { try second.step() }
    let (expected, found) = (try whole.classifier().weights, try second.classifier().weights)
    for (name, weights) in expected {
      #expect(try weights.array(Float.self) == found[name]!.array(Float.self), "\(name)")
    }
  }

  @Test("two runs in one folder are refused, and a state of other options") func refusals() throws {
    let folder = try SmallDigits.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let run = try ClassifierRun(SmallDigits.trainer(images: 100), in: folder)
    #expect(throws: FileError.self) { try ClassifierRun(SmallDigits.trainer(images: 100), in: folder) }
    _ = try run.run()
    let state = folder.appending(path: ClassifierRun.stateName)
    let other = try SmallDigits.trainer(images: 100, side: 16)
    #expect { try other.resume(from: state) } throws: { "\($0)".contains("was saved with other options") }
    #expect(other.images == 0)
    let longer = try SmallDigits.trainer(images: 150)
    try longer.resume(from: state)
    #expect(longer.images == 100 && !longer.isFinished)
    #expect { try other.resume(from: folder.appending(path: ClassifierRun.classifierName)) } throws: {
      "\($0)".contains("is not the state of a classifier's training")
    }
  }

  @Test("a diverged run is an error, and leaves the last good classifier") func divergence() throws {
    let folder = try SmallDigits.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    var options = SmallDigits.options(images: 500)
    options.learningRate = 1e30
    let trainer = try ClassifierTrainer(
      options, data: TrainingImages(SmallDigits.images(training: 100), device: .cpu))
    let run = try ClassifierRun(trainer, in: folder)
    #expect(throws: ClassifierError.self) { try run.run() }
    #expect(try Folder.names(in: folder).isEmpty)
  }

  @Test(
    "impossible options are named",
    arguments: [
      ("side", "a side of 12 pixels"), ("channels", "2 channels"), ("classes", "the number of classes"),
      ("names", "1 names do not fit 10 classes"), ("width", "a width of 3"), ("batch", "a batch of 1"),
      ("shift", "a shift of 8 pixels"), ("blur", "a share of 2.0"), ("rate", "the learning rate"),
    ])
  func options(change: String, message: String) {
    var options = SmallDigits.options(images: 100)
    switch change {
    case "side": options.classifier.side = 12
    case "channels": options.classifier.channels = 2
    case "classes": options.classifier.classes = 1
    case "names": options.classifier.classNames = ["a"]
    case "width": options.classifier.width = 3
    case "batch": options.batch = 1
    case "shift": options.shift = 8
    case "blur": options.blurShare = 2
    default: options.learningRate = .infinity
    }
    #expect { try options.validate() } throws: { "\($0)".hasPrefix(message) }
  }

  @Test("training in bfloat16 gives finite weights near those of float32") func precision() throws {
    var options = SmallDigits.options(images: 100)
    var biases: [[Float]] = []
    for precision in Precision.allCases {
      options.precision = precision
      let trainer = try ClassifierTrainer(
        options, data: TrainingImages(SmallDigits.images(training: 100), device: .cpu))
      while !trainer.isFinished { try trainer.step() }
      biases.append(try trainer.classifier().weights["blocks.0.first.bias"]!.array())
    }
    #expect(biases[0] != biases[1])
    for (one, other) in zip(biases[0], biases[1]) { #expect(abs(one - other) < 0.1 * (1 + abs(one))) }
  }

  @Test("the learning rate rises to its peak and falls to 0") func schedule() {
    let options = SmallDigits.options(images: 1000)
    let rates = [0, 100, 200, 600, 1000, 1050].map { options.learningRate(after: $0) / options.learningRate }
    for (rate, expected) in zip(rates, [0.2, 0.6, 1, 0.5, 0, 0]) { #expect(abs(rate - expected) < 1e-12) }
  }
}
