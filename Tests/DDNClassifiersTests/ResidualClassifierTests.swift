import DDNData
import DDNFiles
import Foundation
import Testing
import Torch

@testable import DDNClassifiers

@Suite("Classifiers")
struct ResidualClassifierTests {
  /// A network whose norms have seen a few batches.
  private static func network(
    _ configuration: ClassifierConfiguration
  ) throws -> (network: ClassifierNetwork, images: Tensor) {
    let generator = try Generator(seed: 4)
    let images = try Tensor.normal(
      [24, configuration.channels, configuration.side, configuration.side], generator: generator)
    let network = try ClassifierNetwork(configuration, whitening: images, generator: generator)
    try withoutGradients { for _ in 0..<5 { _ = try network(images) } }
    return (network, images)
  }

  private static let gray = ClassifierConfiguration(channels: 1, side: 16, classes: 3, width: 4)
  private static let color = ClassifierConfiguration(channels: 3, side: 4, classes: 2, width: 2)

  @Test("the stem whitens patches: its outputs are uncorrelated and of variance 1") func whitening() throws {
    let generator = try Generator(seed: 5)
    // Neighbouring pixels are correlated.
    let images = try Tensor.normal([50, 3, 8, 8], generator: generator).resizedBilinear(height: 16, width: 16)
    let outputs = try Whitening(images, kernel: 2)(images).slice(1, 0..<12).detached()
      .transposed(0, 1).reshaped([12, -1])
    let count = Double(outputs.shape[1])
    let covariance: [Float] = try (outputs.matmul(outputs.transposed(0, 1)) * (1 / count)).array()
    for row in 0..<12 {
      for column in 0..<12 where row != column { #expect(abs(covariance[row * 12 + column]) < 1e-3) }
      #expect((0.7...1.001).contains(covariance[row * 12 + row]))
    }
    #expect(try outputs.mean([1]).absolute().array(Float.self).allSatisfy { $0 < 1e-4 })
  }

  @Test("folded norms compute what the network computes with its running statistics", arguments: [gray, color])
  func folding(configuration: ClassifierConfiguration) throws {
    let (network, images) = try Self.network(configuration)
    let folded = try ResidualClassifier(configuration, folding: network.state(), training: nil)
    func normalized(_ input: Tensor, _ norm: BatchNorm) throws -> Tensor {
      func channels(_ values: Tensor) throws -> Tensor { try values.reshaped([1, -1, 1, 1]) }
      let deviation = try channels(norm.runningVariance.tensor + BatchNorm.epsilon).squareRoot()
      return try (input - channels(norm.runningMean.tensor)) / deviation + channels(norm.bias.tensor)
    }
    let expected = try withoutGradients {
      var features = try network.stem(images).gelu()
      for block in network.blocks {
        features = try normalized(
          features.convolved(block.weight.tensor, bias: nil, padding: 1).maxPooled(2, stride: 2), block.norm
        )
        .gelu()
        let residual = try features.convolved(block.residualWeight.tensor, bias: nil, padding: 1)
        features = try features + normalized(residual, block.residualNorm).gelu()
      }
      return try features.maximum([2, 3]).linear(network.head.tensor, bias: nil) * ClassifierNetwork.headScale
    }
    let difference: [Float] = try (folded.logits(of: images) - expected).absolute().array()
    let scale: [Float] = try expected.absolute().array()
    #expect(difference.max()! < 5e-3 * scale.max()!)  // Weights are rounded to float16.
    #expect(folded.logits(shape: images) == [24, configuration.classes])
  }

  @Test("a saved classifier gives equal logits and keeps its description") func saving() throws {
    let folder = try SmallDigits.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    var configuration = Self.gray
    configuration.classNames = ["zero", "one", "two"]
    let (network, images) = try Self.network(configuration)
    let summary = ClassifierSummary(data: "d", images: 7, elapsedSeconds: 1.5, testData: "t", testAccuracy: 0.5)
    let classifier = try ResidualClassifier(configuration, folding: network.state(), training: summary)
    let url = folder.appending(path: "c.safetensors")
    try classifier.write(to: url)
    let read = try ResidualClassifier(contentsOf: url)
    #expect(read.configuration == configuration && read.training == summary && read.classes == 3)
    #expect(read.parameterCount == classifier.parameterCount)
    #expect(try read.logits(of: images).array(Float.self) == classifier.logits(of: images).array(Float.self))
  }

  @Test("images of other sizes and channels are converted") func conversion() throws {
    let (network, images) = try Self.network(Self.gray)
    let classifier = try ResidualClassifier(Self.gray, folding: network.state(), training: nil)
    let expected: [Float] = try classifier.logits(of: images).array()
    func expectEqual(_ other: Tensor) throws {
      let found: [Float] = try classifier.logits(of: other).array()
      #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-4 })
    }
    try expectEqual(images.pixelsDoubled())
    try expectEqual(images.expanded([-1, 3, -1, -1]))
    for side in [1, 2, 8] {
      let coarse = try images.resizedArea(height: side, width: side)
      let found: [Float] = try classifier.logits(of: coarse).array()
      #expect(try found == classifier.logits(of: coarse.resizedBilinear(height: 16, width: 16)).array(Float.self))
    }
    #expect(throws: ClassifierError.self) { try classifier.logits(of: images.expanded([-1, 2, -1, -1])) }
  }

  @Test("logits do not depend on how many images are read at once") func batches() throws {
    let (network, images) = try Self.network(Self.gray)
    let classifier = try ResidualClassifier(Self.gray, folding: network.state(), training: nil)
    let many = try Tensor.concatenate(Array(repeating: images, count: 200))  // More than are in memory at once.
    let one: [Float] = try classifier.logits(of: images).array()
    let all: [Float] = try classifier.logits(of: many).array()
    #expect(all.count == 200 * one.count)
    for (index, value) in all.enumerated() { #expect(abs(value - one[index % one.count]) < 1e-4) }
  }

  @Test("a confusion matrix counts images by class and reading") func matrix() {
    var matrix = ConfusionMatrix(classes: 2, readings: 3)
    for (number, reading) in [(0, 0), (0, 2), (0, 0), (1, 0)] { matrix.add(number, readAs: reading) }
    #expect(matrix.counts == [[2, 0, 1], [1, 0, 0]])
    #expect(matrix.count == 4 && matrix.correct == 2 && matrix.accuracy == 0.5)
    #expect(matrix.accuracies == [2.0 / 3, 0])
    #expect(
      matrix.lines(names: ["cat", "dog", "ox"]) == [
        "class  images  accuracy  read as cat dog ox", "cat         3    66.7 %            2   0  1",
        "dog         1     0.0 %            1   0  0",
      ])
  }
}

extension ResidualClassifier {
  fileprivate func logits(shape images: Tensor) -> [Int]? { try? logits(of: images).shape }
}
