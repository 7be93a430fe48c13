import GoldenSupport
import Testing
import Torch

@testable import DDN

@Suite("Distances of all nodes")
struct NodeDistancesTests {
  /// All implementations.
  struct Way: CustomTestStringConvertible {
    let form: NodeDistances.Form
    let isByOperators: Bool
    var testDescription: String { "\(form) by \(isByOperators ? "libtorch's operators" : "the kernel")" }
    static let all = NodeDistances.Form.allCases.flatMap { form in
      [false, true].map { Way(form: form, isByOperators: $0) }
    }
  }

  /// Random features, weights and residuals of one shape.
  struct Inputs {
    let features: Tensor  // [R, F, N]
    let weights: Tensor  // [K, C, F]
    let residual: Tensor  // [B, C, N]
    let paths: SharedPaths

    /// - Parameter twins: pairs of nodes with equal weights; residuals are near their images.
    init(
      nodes: Int, channels: Int, inputs: Int, pixels: Int, samples: Int, isShared: Bool, twins: [(Int, Int)] = [],
      seed: UInt64
    ) throws {
      let generator = try Generator(seed: seed)
      let codes = try Tensor.integers(in: 0..<max(1, samples / 2), [samples], generator: generator)
      paths =
        isShared
        ? try SharedPaths(samples: samples, device: .cpu).branching(at: codes, nodes: samples).paths
        : .separate(samples: samples)
      features = try .normal([paths.rows, inputs, pixels], generator: generator)
      weights = try .normal([nodes, channels, inputs], generator: generator) * (1 / Double(inputs).squareRoot())
      for (first, second) in twins { try weights.select(0, second).copy(from: weights.select(0, first)) }
      let noise = try Tensor.normal([samples, channels, pixels], generator: generator)
      guard let (first, _) = twins.first else {
        residual = noise
        return
      }
      let image = try weights.slice(0, first..<first + 1).expanded([samples, channels, inputs])
        .batchMatmul(paths.perSample(features))  // [B, C, N]
      residual = try image + noise * 0.1
    }

    func distances(_ way: Way) throws -> Tensor {
      try way.isByOperators
        ? NodeDistances.byOperators(features, weights, residual, paths, .squared, way.form)
        : NodeDistances.all(features: features, weights: weights, residual: residual, paths: paths, form: way.form)
    }

    /// `[B][K]` distances of the images, in float64.
    func exact() throws -> [[Double]] {
      let (rows, nodes) = (features.shape[0], weights.shape[0])
      let (channels, pixels) = (weights.shape[1], features.shape[2])
      let images = try weights.to(.float64).reshaped([nodes * channels, -1]).matmul(features.to(.float64))
        .reshaped([rows, nodes, channels, pixels])
      let targets = try residual.to(.float64).reshaped([-1, 1, channels, pixels])
      return try rowsOf((paths.perSample(images) - targets).squared().mean([2, 3]))
    }

    /// `[B]`, magnitude of the terms that cancel in the products form: `(|r|^2 + max |W|^2 |X|^2) / (C N)`.
    func magnitudes() throws -> [Double] {
      let heaviest = try weights.squared().sum([1, 2]).array(Double.self).max()!
      let ofFeatures = try paths.perSample(features.squared().sum([1, 2])).array(Double.self)
      let ofResidual = try residual.squared().sum([1, 2]).array(Double.self)
      let count = Double(weights.shape[1] * features.shape[2])
      return zip(ofResidual, ofFeatures).map { ($0 + heaviest * $1) / count }
    }
  }

  struct Shape: CustomTestStringConvertible {
    let nodes, channels, inputs, pixels, samples: Int
    let isShared: Bool
    let seed: UInt64

    var testDescription: String {
      "K=\(nodes) C=\(channels) F=\(inputs) N=\(pixels) B=\(samples)\(isShared ? " shared" : "") seed=\(seed)"
    }

    func inputs(twins: [(Int, Int)] = []) throws -> Inputs {
      try Inputs(
        nodes: nodes, channels: channels, inputs: inputs, pixels: pixels, samples: samples, isShared: isShared,
        twins: twins, seed: seed)
    }
  }

  /// Few, odd and many nodes, and multiples of 16, a quarter each.
  static let shapes: [Shape] = {
    var random = SeededGenerator(seed: 5)
    return (0..<240).map { index in
      let nodes =
        switch index % 4 {
        case 0: Int.random(in: 2...9, using: &random)
        case 1: 2 * Int.random(in: 1...40, using: &random) + 1
        case 2: Int.random(in: 65...300, using: &random)
        default: 16 * Int.random(in: 1...16, using: &random)
        }
      return Shape(
        nodes: nodes, channels: Bool.random(using: &random) ? 1 : 3, inputs: Int.random(in: 2...64, using: &random),
        pixels: Int.random(in: 1...400, using: &random), samples: Int.random(in: 1...20, using: &random),
        isShared: Bool.random(using: &random), seed: UInt64(index))
    }
  }()

  /// Two nodes are a near-tie when their exact distances differ by less than 1e-5 of the smaller one plus 2^-23 of
  /// the terms that cancel. Implementations may choose either node of a near-tie, else they must choose the nearest.
  @Test("all implementations choose the nearest node, except near-ties")
  func allWays() throws {
    var (images, decided) = (0, 0)
    for shape in Self.shapes {
      let inputs = try shape.inputs()
      let (exact, magnitudes) = (try inputs.exact(), try inputs.magnitudes())
      let choices = try Way.all.map { try inputs.distances($0).argmin(1).array(Int.self) }
      for sample in exact.indices {
        let smallest = exact[sample].min()!
        let margin = 1e-5 * smallest + 0x1p-23 * magnitudes[sample]
        let isNearTie = exact[sample].filter { $0 - smallest < margin }.count > 1
        images += 1
        decided += isNearTie ? 0 : 1
        for choice in choices {
          #expect(exact[sample][choice[sample]] - smallest < margin, "\(shape.testDescription) image \(sample)")
        }
        #expect(
          isNearTie || Set(choices.map { $0[sample] }).count == 1, "\(shape.testDescription) image \(sample)")
      }
    }
    #expect(decided * 50 > images * 49, "\(decided) of \(images) images are no near-tie")
  }

  @Test(
    "nodes of equal weights have bit-identical distances, and the lowest index wins",
    arguments: Way.all)
  func twins(way: Way) throws {
    var random = SeededGenerator(seed: 9)
    var failures: [String] = []
    for shape in Self.shapes where shape.nodes >= 4 {
      let places = (0..<shape.nodes).shuffled(using: &random)
      let pairs = [(places[0], places[1]), (places[2], places[3])].map { (min($0, $1), max($0, $1)) }
      let distances = try shape.inputs(twins: pairs).distances(way)
      let rows = try rowsOf(distances)
      let nearest = try distances.argmin(1).array(Int.self)
      let areEqual = rows.allSatisfy { row in pairs.allSatisfy { row[$0.0] == row[$0.1] } }
      let lowerWins = nearest.allSatisfy { $0 != pairs[0].1 && $0 != pairs[1].1 }
      if !areEqual || !lowerWins { failures.append("\(shape.testDescription) \(pairs)") }
    }
    #expect(failures.isEmpty, "\(failures.count) shapes: \(failures.joined(separator: "; "))")
  }

  @Test("distances of coordinates in a basis are those of their features, by the kernel and by operators")
  func basis() throws {
    for (place, shape) in Self.shapes.enumerated() where place % 5 == 0 {
      let inputs = try shape.inputs()
      let (rank, space, generator) = (shape.pixels, shape.pixels + place % 30, try Generator(seed: shape.seed))
      let basis = FeatureBasis(rows: try .normal([rank, space], generator: generator), mode: .evaluation)
      let residual = try Tensor.normal([shape.samples, shape.channels, space], generator: generator) * Double(rank)
      let features = try basis.values(of: inputs.features)
      #expect(try deviation(of: features, from: inputs.features.matmul(basis.rows)) < 1e-5)
      func distances(_ features: Tensor, _ basis: FeatureBasis?, _ form: NodeDistances.Form?) throws -> Tensor {
        try NodeDistances.all(
          features: features, basis: basis, weights: inputs.weights, residual: residual, paths: inputs.paths, form: form
        )
      }
      let expected = try distances(features, nil, .images)
      let byOperators = try NodeDistances.byOperators(
        inputs.features, basis: basis, inputs.weights, residual, inputs.paths, .squared, .products)
      for found in try [byOperators] + [nil, .images].map({ try distances(inputs.features, basis, $0) }) {
        #expect(try deviation(of: found, from: expected) < 1e-5, "\(shape.testDescription)")
      }
    }
  }

  @Test("the cost model chooses products for many pixels and images for few")
  func costModel() {
    func cheaper(_ nodes: Int, _ channels: Int, _ features: Int, side: Int, samples: Int) -> NodeDistances.Form {
      NodeDistances.cheaperForm(
        rows: samples, samples: samples, nodes: nodes, channels: channels, features: features, pixels: side * side)
    }
    #expect(cheaper(512, 3, 128, side: 32, samples: 8) == .products)
    #expect(cheaper(64, 1, 16, side: 32, samples: 64) == .products)
    #expect(cheaper(512, 3, 128, side: 8, samples: 8) == .images)
  }

  @Test("absolute distances are mean absolute differences in any form", arguments: NodeDistances.Form.allCases)
  func absolute(form: NodeDistances.Form) throws {
    let features = try Tensor([1, 2] as [Float], shape: [1, 1, 2])
    let weights = try Tensor([1, -1] as [Float], shape: [2, 1, 1])
    let residual = try Tensor([2, 0] as [Float], shape: [1, 1, 2])
    let distances = try NodeDistances.all(
      features: features, weights: weights, residual: residual, paths: .separate(samples: 1), measure: .absolute,
      form: form)
    #expect(try distances.array(Float.self) == [1.5, 2.5])
  }
}

/// The rows of a matrix.
private func rowsOf(_ matrix: Tensor) throws -> [[Double]] {
  let (numbers, width) = (try matrix.array(Double.self), matrix.shape[1])
  return stride(from: 0, to: numbers.count, by: width).map { Array(numbers[$0..<$0 + width]) }
}
