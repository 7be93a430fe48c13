import DDN
import Foundation
import Torch

/// The trainable form of an `IntegerPrior`, in units of bits and of [0, 1).
///
/// Weights and activations are rounded as they will be stored, with the gradient of no rounding. The steps are powers of
/// two, so that logits equal the integer prior's exactly.
final class PriorNetwork: Module {
  private static let embeddingOperator = Operator("aten::embedding")
  private static let sumOperator = Operator("aten::cumsum")
  private static let lossOperator = Operator("aten::cross_entropy_loss")
  private static let roundingOperator = Operator("aten::fake_quantize_per_tensor_affine")

  /// Numbers that are stored as integers in units of 2^-bits, at most `limit` in magnitude.
  struct Rounding {
    let bits: Int
    let least: Int
    let most: Int

    static let embeddings = Rounding(bits: 7, least: -127, most: 127)
    static let weights = Rounding(bits: 6, least: -127, most: 127)
    static let biases = Rounding(bits: 13, least: -(1 << 19), most: 1 << 19)
    static let activations = Rounding(bits: 7, least: 0, most: 127)
  }

  let shape: PriorShape
  private let firstRows: [Int]

  /// `[classes, D]`.
  let initial: Parameter
  /// `[sum of K, D]`.
  let embeddings: Parameter
  /// `[H, D]`.
  let hiddenWeight: Parameter
  /// `[choices, H]`.
  let hiddenBias: Parameter
  /// `[sum of K, H]`.
  let headsWeight: Parameter
  /// `[sum of K]`.
  let headsBias: Parameter

  init(_ shape: PriorShape, generator: Generator) throws {
    self.shape = shape
    firstRows = shape.firstRows
    let rows = firstRows.last!
    func normal(_ shape: [Int], _ deviation: Double, mean: Double = 0) throws(TorchError) -> Parameter {
      try Parameter(Tensor.normal(shape, generator: generator) * deviation + mean)
    }
    initial = try normal([max(shape.classes, 1), shape.width], 0.1, mean: 0.3)
    embeddings = try normal([rows, shape.width], 0.1)
    hiddenWeight = try normal([shape.hidden, shape.width], 1.2 / Double(shape.width).squareRoot())
    hiddenBias = try Parameter(.full([shape.nodes.count, shape.hidden], 0.2))
    headsWeight = try normal([rows, shape.hidden], 0.02)
    headsBias = try Parameter(.zeros([rows]))
  }

  /// The mean cost of codes, in nats: a scalar.
  ///
  /// - Parameters:
  ///   - choices: `[choices, B]` int64.
  ///   - classes: `[B]` int64, zeros without classes.
  ///   - dropout: probability that a unit is left out.
  ///   - generator: draws the units.
  func loss(of choices: Tensor, classes: Tensor, dropout: Double, generator: Generator) throws(TorchError) -> Tensor {
    func dropped(_ activations: Tensor) throws(TorchError) -> Tensor {
      guard dropout > 0 else { return activations }
      let kept = try Tensor.uniform(activations.shape, generator: generator).isLess(than: 1 - dropout)
      return try activations * (kept.to(.float32) * (1 / (1 - dropout)))
    }
    let count = shape.nodes.count
    let starts = try Tensor(Array(firstRows[..<count]), shape: [count, 1])
    let batch = choices.shape[1]
    let first = try Self.embedded(classes, Self.rounded(initial.tensor, .embeddings))
      .reshaped([1, batch, shape.width])
    let table = try Self.rounded(embeddings.tensor, .embeddings)
    let later = try Self.embedded((choices + starts).slice(0, 0..<count - 1), table)  // [choices - 1, B, D]
    let sums = try Self.sumOperator.tensor(.tensor(.concatenate([first, later])), .int(0))
    let inputs = try dropped(Self.rounded(sums, .activations))
    let hidden = try inputs.linear(Self.rounded(hiddenWeight.tensor, .weights), bias: nil)
    let biases = try Self.rounded(hiddenBias.tensor, .biases).reshaped([count, 1, shape.hidden])
    let activations = try dropped(Self.rounded(hidden + biases, .activations))
    let weights = try Self.rounded(headsWeight.tensor, .weights)
    let headBiases = try Self.rounded(headsBias.tensor, .biases)
    var losses: [Tensor] = []
    for position in 0..<count {
      let rows = firstRows[position]..<firstRows[position + 1]
      let logits =
        try activations.select(0, position)
        .linear(weights.slice(0, rows), bias: headBiases.slice(0, rows)) * log(2)
      losses.append(try Self.lossOperator.tensor(.tensor(logits), .tensor(choices.select(0, position))))
    }
    return try Tensor.stack(losses).sum()
  }

  private static func embedded(_ rows: Tensor, _ table: Tensor) throws(TorchError) -> Tensor {
    try embeddingOperator.tensor(.tensor(table), .tensor(rows))
  }

  private static func rounded(_ values: Tensor, _ rounding: Rounding) throws(TorchError) -> Tensor {
    try roundingOperator.tensor(
      .tensor(values), .double(exp2(-Double(rounding.bits))), .int(0), .int(rounding.least), .int(rounding.most))
  }
}

extension IntegerPrior {
  /// Rounds a trained network to integers.
  ///
  /// - Parameters:
  ///   - state: of a `PriorNetwork`, or an average of such.
  ///   - space: of the codes.
  ///   - shape: of the network.
  ///   - modelFingerprint: of the model whose codes it predicts.
  ///   - training: its summary.
  convenience init(
    rounding state: [String: Tensor], space: CodeSpace, shape: PriorShape, modelFingerprint: UInt64,
    training: PriorSummary?
  ) throws {
    func integers(_ name: String, _ rounding: PriorNetwork.Rounding) throws -> [Int32] {
      let scaled = try withoutGradients { () throws(TorchError) in
        try (state[name]!.detached() * exp2(Double(rounding.bits))).rounded()
          .clamped(Double(rounding.least)...Double(rounding.most))
      }
      return try scaled.array(Int32.self)
    }
    try self.init(
      space: space, shape: shape,
      integers: [
        "initial": integers("initial", .embeddings), "embeddings": integers("embeddings", .embeddings),
        "hidden.weight": integers("hiddenWeight", .weights), "hidden.bias": integers("hiddenBias", .biases),
        "heads.weight": integers("headsWeight", .weights), "heads.bias": integers("headsBias", .biases),
      ], modelFingerprint: modelFingerprint, training: training)
  }
}
