import DDN
import Foundation
import Torch

/// A learned prior over codes: p(choice | earlier choices, class) from integer arithmetic alone.
///
/// A neural autoregressive model: the embeddings of the earlier choices are summed, and a hidden layer and a head of the
/// choice read the sum. Weights have 8 bits and activations 7; products are added in float32, exactly, because every sum
/// stays below 2^24. So frequencies are equal for any batch size, thread count and processor.
///
/// - Source: NADE (Larochelle and Murray, 2011), with the clipped activations of NNUE (Nasu, 2018). Not for concurrent
///   use.
public final class IntegerPrior: CodePrior {
  public let space: CodeSpace
  public let shape: PriorShape
  /// Of the model whose codes it predicts.
  public let modelFingerprint: UInt64
  public let training: PriorSummary?
  public let fingerprint: UInt64

  /// Integers in float32, by name: see `PriorShape.tensors`.
  let weights: [String: Tensor]
  let firstRows: [Int]
  /// By number of nodes.
  let tables: [Int: FrequencyTable]

  /// - Parameters:
  ///   - space: of the codes.
  ///   - shape: a valid one for `space`.
  ///   - integers: by name, of the shapes of `shape.tensors`.
  ///   - modelFingerprint: of the model whose codes it predicts.
  ///   - training: how it was trained.
  /// - Throws: `PriorError` when a sum may reach 2^24; `TorchError`.
  init(
    space: CodeSpace, shape: PriorShape, integers: [String: [Int32]], modelFingerprint: UInt64, training: PriorSummary?
  ) throws {
    self.space = space
    self.shape = shape
    self.modelFingerprint = modelFingerprint
    self.training = training
    firstRows = shape.firstRows
    try Self.checkSums(integers, shape)
    fingerprint = Self.fingerprint(of: integers, space: space, modelFingerprint: modelFingerprint)
    weights = try shape.tensors.reduce(into: [:]) { weights, tensor in
      weights[tensor.key] = try Tensor(integers[tensor.key]!, shape: tensor.value.shape).to(.float32)
    }
    tables = Set(shape.nodes).reduce(into: [:]) { $0[$1] = FrequencyTable(nodes: $1) }
  }

  public var classes: Int { shape.classes }

  /// The number of weights.
  public var parameterCount: Int { weights.values.reduce(0) { $0 + $1.count } }

  public func begin(count: Int, classes: [Int]?) throws -> any CodePrediction {
    try predict(count: count, classes: classes)
  }

  /// The same, with a temperature.
  ///
  /// - Parameters:
  ///   - count: of codes.
  ///   - classes: one per code; nil for a model without classes.
  ///   - temperature: 1 predicts as learned, more is closer to uniform.
  /// - Throws: `PriorError` when the classes do not fit; `TorchError`.
  public func predict(
    count: Int, classes: [Int]?, temperature: PriorTemperature = .one
  ) throws -> PriorPrediction {
    let classes = shape.classes > 0 ? classes : nil
    guard shape.classes == 0 || classes?.count == count else {
      throw PriorError("this prior is of a model with classes: every code needs a class")
    }
    if let wrong = classes?.first(where: { !(0..<shape.classes).contains($0) }) {
      throw PriorError("class \(wrong) is not within 0...\(shape.classes - 1)")
    }
    let rows = try Tensor(classes ?? [Int](repeating: 0, count: count), shape: [count])
    return PriorPrediction(self, sums: try weights["initial"]!.gathered(rows), temperature: temperature)
  }

  /// 64 bits of all weights and what they are for.
  private static func fingerprint(
    of integers: [String: [Int32]], space: CodeSpace, modelFingerprint: UInt64
  ) -> UInt64 {
    var hash = Fingerprint()
    func add(_ values: [UInt64]) { values.map(\.littleEndian).withUnsafeBytes { hash.add(Data($0)) } }
    add([modelFingerprint] + space.levels.flatMap { [$0.nodes, $0.side, 1].map { UInt64($0) } })
    for (_, values) in integers.sorted(by: { $0.key < $1.key }) {
      values.map(\.littleEndian).withUnsafeBytes { hash.add(Data($0)) }
    }
    return hash.value
  }

  /// - Throws: `PriorError` when a sum of products may reach 2^24.
  private static func checkSums(_ integers: [String: [Int32]], _ shape: PriorShape) throws(PriorError) {
    func largestSum(_ name: String, inputs: Int) -> Int {
      let values = integers[name]!
      return stride(from: 0, to: values.count, by: inputs).reduce(0) { largest, start in
        max(largest, values[start..<start + inputs].reduce(0) { $0 + abs(Int($1)) })
      }
    }
    func largest(_ name: String) -> Int { integers[name]!.reduce(0) { max($0, abs(Int($1))) } }
    for (layer, inputs) in [("hidden", shape.width), ("heads", shape.hidden)] {
      let bound =
        PriorPrediction.largestActivation * largestSum("\(layer).weight", inputs: inputs)
        + largest("\(layer).bias")
      guard bound < 1 << 24 else { throw PriorError("sums of '\(layer)' may reach \(bound), above 2^24") }
    }
    let sum = largest("initial") + largest("embeddings") * shape.nodes.count
    guard sum < 1 << 24 else { throw PriorError("sums of 'embeddings' may reach \(sum), above 2^24") }
  }
}

/// How far from uniform codes are drawn: 1 is as learned, in steps of 1/256.
public struct PriorTemperature: Sendable, Equatable {
  public static let one = PriorTemperature(1)
  /// In units of 1/256.
  let steps: Int

  /// - Parameter value: above 0; rounded to 1/256, at least 1/256 and at most 65536.
  public init(_ value: Double) {
    precondition(value > 0, "a temperature is above 0, not \(value)")
    steps = Int(min(max((value * 256).rounded(), 1), 0x1p24))
  }

  public var value: Double { Double(steps) / 256 }
}

/// The predictions of an `IntegerPrior` for a batch of codes, one choice at a time. Copies are independent.
public struct PriorPrediction: CodePrediction {
  static let largestActivation = 127
  /// Weights of the hidden layer are in units of 2^-6.
  private static let hiddenUnit = 0x1p-6

  private let prior: IntegerPrior
  private let temperature: PriorTemperature
  /// `[count, D]`, integers.
  private var sums: Tensor
  /// The next choice, from 0.
  public private(set) var position = 0

  init(_ prior: IntegerPrior, sums: Tensor, temperature: PriorTemperature) {
    self.prior = prior
    self.sums = sums
    self.temperature = temperature
  }

  public var isFinished: Bool { position == prior.shape.nodes.count }

  private var rows: Range<Int> { prior.firstRows[position]..<prior.firstRows[position + 1] }

  public mutating func frequencies() throws -> [UInt32] {
    precondition(!isFinished, "the code has no choice \(position)")
    let weights = prior.weights
    let logits = try withoutGradients { () throws(TorchError) in
      let limit = 0...Double(Self.largestActivation)
      let hidden = try sums.clamped(limit)
        .linear(weights["hidden.weight"]!, bias: weights["hidden.bias"]!.select(0, position))
      let activations = try (hidden * Self.hiddenUnit).rounded().clamped(limit)
      return try activations.linear(
        weights["heads.weight"]!.slice(0, rows), bias: weights["heads.bias"]!.slice(0, rows)
      ).array(Float.self)
    }
    let nodes = rows.count
    let (table, temperature) = (prior.tables[nodes]!, temperature.steps)
    return [UInt32](unsafeUninitializedCapacity: logits.count) { buffer, filled in
      logits.withUnsafeBufferPointer { logits in
        for start in stride(from: 0, to: logits.count, by: nodes) {
          table.write(
            UnsafeBufferPointer(rebasing: logits[start..<start + nodes]), temperature: temperature,
            to: buffer.baseAddress! + start)
        }
      }
      filled = logits.count
    }
  }

  public mutating func advance(_ choices: [Int]) throws {
    precondition(!isFinished, "the code has no choice \(position)")
    let rows = rows
    if let wrong = choices.first(where: { !(0..<rows.count).contains($0) }) {
      throw PriorError("choice \(wrong) is not within 0...\(rows.count - 1)")
    }
    let places = try Tensor(choices.map { rows.lowerBound + $0 }, shape: [choices.count])
    sums = try withoutGradients { () throws(TorchError) in
      try sums + prior.weights["embeddings"]!.gathered(places)
    }
    position += 1
  }

  public mutating func select(_ parents: [Int]) throws {
    let rows = try Tensor(parents, shape: [parents.count])
    sums = try withoutGradients { () throws(TorchError) in try sums.gathered(rows) }
  }
}
