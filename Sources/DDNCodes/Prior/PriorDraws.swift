import DDN
import Torch

extension IntegerPrior {
  private static let batchSize = 1024

  /// Draws the codes of seeds, each by integers from its own generator: equal on any machine, for any batch.
  ///
  /// - Parameters:
  ///   - seeds: one code each; their low 32 bits count.
  ///   - classes: one per seed; nil for a model without classes.
  ///   - temperature: 1 draws as learned, more is closer to uniform, less is closer to the most likely code.
  ///   - prefix: the first choices of all codes; nil for none.
  /// - Throws: `PriorError` when the classes do not fit; `TorchError`.
  public func codes(
    seeds: [UInt64], classes: [Int]? = nil, temperature: PriorTemperature = .one, startingWith prefix: LatentCode? = nil
  ) throws -> [LatentCode] {
    try stride(from: 0, to: seeds.count, by: Self.batchSize).flatMap { first in
      let range = first..<min(first + Self.batchSize, seeds.count)
      var generators = seeds[range].map { MersenneTwister(seed: $0) }
      var codes = [[Int]](repeating: [], count: range.count)
      var prediction = try predict(
        count: range.count, classes: classes.map { Array($0[range]) }, temperature: temperature)
      for choice in prefix?.choices ?? [] {
        for row in codes.indices { codes[row].append(choice) }
        try prediction.advance(Array(repeating: choice, count: range.count))
      }
      while !prediction.isFinished {
        let frequencies = try prediction.frequencies()
        let nodes = frequencies.count / range.count
        let choices = generators.indices.map { row in
          Self.draw(frequencies[row * nodes..<(row + 1) * nodes], &generators[row])
        }
        for (row, choice) in choices.enumerated() { codes[row].append(choice) }
        try prediction.advance(choices)
      }
      return try codes.map { try LatentCode($0, in: space) }
    }
  }

  /// A node at random, in proportion to its frequency, from 64 random bits.
  private static func draw(_ frequencies: ArraySlice<UInt32>, _ generator: inout MersenneTwister) -> Int {
    let total = frequencies.reduce(UInt64(0)) { $0 + UInt64($1) }
    let random = UInt64(generator.next()) << 32 | UInt64(generator.next())
    var left = random.multipliedFullWidth(by: total).high
    for (node, frequency) in frequencies.enumerated() {
      if left < UInt64(frequency) { return node }
      left -= UInt64(frequency)
    }
    preconditionFailure("a draw below the total ends at a node")
  }
}

extension CodeList {
  /// The codes that a prior draws for seeds, each with a class if the network has classes.
  ///
  /// - Parameters:
  ///   - seeds: one code each; their low 32 bits count.
  ///   - prior: draws the codes.
  ///   - temperature: 1 draws as learned.
  ///   - classes: the network's number of classes; 0 for none.
  ///   - classIndex: the class of all codes; nil for class `seed % classes`.
  /// - Throws: `PriorError` when the classes do not fit; `TorchError`.
  public init(
    seeds: [UInt64], from prior: IntegerPrior, temperature: PriorTemperature = .one, classes: Int = 0,
    classIndex: Int? = nil
  ) throws {
    let ofSeeds = seeds.map { seed in classes > 0 ? classIndex ?? Int(seed % UInt64(classes)) : nil }
    let codes = try prior.codes(
      seeds: seeds, classes: classes > 0 ? ofSeeds.compactMap { $0 } : nil, temperature: temperature)
    self.init(zip(codes, ofSeeds).map { Entry(code: $0, classIndex: $1) })
  }
}
