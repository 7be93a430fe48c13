import DDN
import Foundation
import GoldenSupport
import Testing

/// Sines, cosines and their sums may differ from libtorch's by one rounding; everything else is equal.
@Suite("Positional features, compared to the original")
struct PositionalFeaturesTests {
  @Test("the sinusoidal table, within one rounding of a value up to 1")
  func sinusoidalTable() throws {
    let golden = try Golden.safetensors("A/sinusoidal.safetensors")
    #expect(golden.entries.count == 9)
    for (name, entry) in golden.entries {
      let (positions, channels) = (entry.shape[0], entry.shape[1])
      let table = PositionalFeatures.sinusoidalTable(positions: positions, channels: channels)
      let expected = try golden.floats(name)
      #expect(try largestDifference(table, expected) <= 6e-8, "\(name)")
      for index in expected.indices where abs(expected[index]) > 1 {
        #expect(table[index] == expected[index], "\(name): a bare angle")
      }
    }
  }

  @Test("the initial feature, exactly where it is a ramp, else within two roundings")
  func initialFeature() throws {
    let golden = try Golden.safetensors("A/init_feature.safetensors")
    #expect(golden.entries.count == 16)
    for (name, entry) in golden.entries {
      let shape = entry.shape
      let feature = PositionalFeatures.initialFeature(channels: shape[0], height: shape[1], width: shape[2])
      let tolerance: Float = shape[1] == 1 ? 0 : 1.2e-7
      #expect(try largestDifference(feature, golden.floats(name)) <= tolerance, "\(name)")
    }
  }

  @Test("the linear embedding, exactly")
  func linearEmbedding() throws {
    let golden = try Golden.safetensors("A/linear_spatial_embedding.safetensors")
    #expect(golden.entries.count == 7)
    for (name, entry) in golden.entries {
      #expect(try PositionalFeatures.linearEmbedding(shape: entry.shape) == golden.floats(name), "\(name)")
    }
  }

  @Test(
    "the class embedding, exactly, class 0 all zeros",
    arguments: [2, 3, 4, 5, 10, 16, 17, 100, 257, 1000])
  func classEmbedding(classes: Int) throws {
    let golden = try Golden.safetensors("A/class_embedding.safetensors")
    #expect(try PositionalFeatures.classEmbedding(classes: classes) == golden.floats("class\(classes)"))
  }

  @Test("the class embedding's length")
  func classEmbeddingLength() throws {
    let lengths = try JSONDecoder().decode(
      [String: [String: Int]].self, from: Data(contentsOf: Golden.url("A/class_embedding.json")))
    for (classes, length) in try #require(lengths["emb_length"]) {
      #expect(PositionalFeatures.classEmbeddingLength(classes: try #require(Int(classes))) == length)
    }
  }

  @Test("a ramp has exact ends and increases")
  func ramp() {
    #expect(PositionalFeatures.ramp(count: 1) == [-1])
    for count in [2, 3, 7, 1000] {
      let ramp = PositionalFeatures.ramp(count: count)
      #expect(ramp.count == count && ramp.first == -1 && ramp.last == 1)
      #expect(zip(ramp, ramp.dropFirst()).allSatisfy { $0 < $1 })
    }
  }

  private func largestDifference(_ values: [Float], _ expected: [Float]) throws -> Float {
    try #require(values.count == expected.count)
    return zip(values, expected).map { abs($0 - $1) }.max() ?? 0
  }
}
