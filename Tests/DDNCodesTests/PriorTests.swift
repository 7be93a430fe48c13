import DDN
import DDNFiles
import Foundation
import GoldenSupport
import Testing
import Torch

@testable import DDNCodes

/// Codes of two levels of 4 nodes and one of 8: the second choice equals the first, the third is `2 * first + class`.
enum DependentCodes {
  static let space = CodeSpace([
    .init(nodes: 4, side: 1), .init(nodes: 4, side: 1), .init(nodes: 8, side: 2),
  ])

  static func table(_ count: Int, seed: UInt64 = 0) throws -> CodeTable {
    var random = MersenneTwister(seed: seed)
    return try CodeTable(
      (0..<count).map { _ in
        let (first, classIndex) = (random.below(4), random.below(2))
        return CodeList.Entry(
          code: try LatentCode([first, first, 2 * first + classIndex], in: space), classIndex: classIndex)
      }, in: space)
  }

  static func train(
    _ options: PriorOptions = .init(width: 32, hidden: 32, epochs: 40, batch: 50, learningRate: 0.01, dropout: 0)
  ) throws
    -> PriorTrainer
  {
    let trainer = try PriorTrainer(
      options, codes: table(1000), classes: 2, dataName: "dependent", modelFingerprint: 42)
    while !trainer.isFinished { try trainer.step() }
    _ = try trainer.evaluate()
    return trainer
  }

  static func trained() throws -> IntegerPrior { try train().best!.prior }
}

@Suite("Training a prior") struct PriorTrainingTests {
  @Test("learns what the earlier choices and the class decide") func learning() throws {
    let prior = try DependentCodes.trained()
    let bits = try prior.bits(of: DependentCodes.table(500, seed: 1))
    #expect(abs(bits[0] - 2) < 0.05 && bits[1] < 0.05 && bits[2] < 0.05, "\(bits)")
    #expect(prior.training?.codes == 950 && prior.training?.codesSeen == 38_000)
  }

  @Test("codes that begin with given choices go on as the prior learned") func startingWith() throws {
    let prior = try DependentCodes.trained()
    let prefix = try LatentCode([2], in: DependentCodes.space)
    let seeds = (0..<40).map { UInt64($0) }
    let codes = try prior.codes(seeds: seeds, classes: seeds.map { Int($0 % 2) }, startingWith: prefix)
    #expect(codes.allSatisfy { $0.choices[0] == 2 })
    let expected = seeds.filter { codes[Int($0)].choices == [2, 2, 4 + Int($0 % 2)] }
    #expect(expected.count > 35, "\(codes)")
    let whole = try LatentCode([3, 1, 0], in: DependentCodes.space)
    #expect(try prior.codes(seeds: [1, 2], classes: [0, 1], startingWith: whole).allSatisfy { $0 == whole })
  }

  @Test("the same options give the same weights, another seed gives others") func reproducible() throws {
    let options = PriorOptions(width: 8, hidden: 8, epochs: 1, batch: 50)
    let first = try DependentCodes.train(options).best!.prior.fingerprint
    #expect(try DependentCodes.train(options).best!.prior.fingerprint == first)
    var other = options
    other.seed = 1
    #expect(try DependentCodes.train(other).best!.prior.fingerprint != first)
  }

  @Test("the trained network and its integers predict the same probabilities") func rounding() throws {
    let shape = PriorShape(space: DependentCodes.space, classes: 2, width: 100, hidden: 50)
    let generator = try Generator(seed: 3)
    let network = try PriorNetwork(shape, generator: generator)
    let codes = try DependentCodes.table(400)
    let loss = try network.loss(
      of: Tensor(codes.choices.map { Int($0) }, shape: [3, 400]), classes: Tensor(codes.classes!, shape: [400]),
      dropout: 0, generator: generator)
    let prior = try IntegerPrior(
      rounding: network.state(), space: codes.space, shape: shape, modelFingerprint: 0, training: nil)
    let bits = try prior.bits(of: codes).reduce(0, +)
    // The table of frequencies has steps of 1/32 bit.
    #expect(try abs(loss.item() / log(2) - bits) < 2e-3)
  }

  @Test("a time limit ends the training") func minutes() throws {
    let trainer = try DependentCodes.train(.init(width: 8, hidden: 8, epochs: 1e6, minutes: 0.001, batch: 50))
    #expect(trainer.codesSeen < 100_000 && trainer.best != nil)
  }

  @Test("options and codes that do not fit are errors") func invalid() throws {
    func train(_ options: PriorOptions = .init(), codes: CodeTable, classes: Int = 0) throws {
      _ = try PriorTrainer(options, codes: codes, classes: classes, dataName: "", modelFingerprint: 0)
    }
    let codes = try DependentCodes.table(100)
    let space = DependentCodes.space
    let bare = try CodeTable((0..<100).map { .init(code: LatentCode(seed: $0, in: space)) }, in: space)
    for (text, body) in [
      ("width must be", { try train(.init(width: 1001), codes: codes) }),
      ("dropout must be", { try train(.init(dropout: 1), codes: codes) }),
      ("the learning rate", { try train(.init(learningRate: .nan), codes: codes) }),
      ("needs at least", { try train(codes: DependentCodes.table(19)) }),
      ("have none", { try train(codes: bare, classes: 2) }),
    ] as [(String, () throws -> Void)] {
      let error = #expect(throws: PriorError.self) { try body() }
      #expect(error?.description.contains(text) == true, "\(text): \(String(describing: error))")
    }
  }
}

@Suite("Codes drawn from a prior") struct PriorDrawsTests {
  @Test("follow the data, and depend on their seed and class alone") func draws() throws {
    let prior = try DependentCodes.trained()
    let seeds = (0..<2000).map { UInt64($0) }
    let classes = seeds.map { Int($0 % 2) }
    let codes = try prior.codes(seeds: seeds, classes: classes)
    let likely = codes.indices.filter { codes[$0].choices[2] == 2 * codes[$0].choices[0] + classes[$0] }
    #expect(likely.count > 1900)
    for first in 0..<4 { #expect(abs(codes.count { $0.choices[0] == first } - 500) < 120) }
    for index in [0, 7, 1500] {
      #expect(try prior.codes(seeds: [seeds[index]], classes: [classes[index]]) == [codes[index]])
    }
  }

  @Test("a low temperature draws the likeliest code, a high one nearly uniform codes") func temperature() throws {
    let prior = try DependentCodes.trained()
    let seeds = (0..<400).map { UInt64($0) }
    let classes = seeds.map { _ in 0 }
    let cold = try prior.codes(seeds: seeds, classes: classes, temperature: PriorTemperature(0.001))
    #expect(Set(cold).count == 1)
    let hot = try prior.codes(seeds: seeds, classes: classes, temperature: PriorTemperature(1000))
    #expect(Set(hot).count > 100)
  }

  @Test("a class that is missing or out of range is an error") func classes() throws {
    let prior = try FormulaPrior.make()
    #expect(throws: PriorError("this prior is of a model with classes: every code needs a class")) {
      try prior.codes(seeds: [1])
    }
    #expect(throws: PriorError("class 3 is not within 0...2")) { try prior.codes(seeds: [1], classes: [3]) }
    var prediction = try prior.predict(count: 1, classes: [0])
    #expect(throws: PriorError("choice 3 is not within 0...2")) { try prediction.advance([3]) }
  }
}

@Suite("Frequencies of a prior") struct FrequencyTableTests {
  @Test("sum to less than 2^32, and are at least 1", arguments: [1, 2, 3, 64, 65, 512, 65536]) func sums(nodes: Int) {
    let table = FrequencyTable(nodes: nodes)
    for logits in [
      [Float](repeating: 5, count: nodes), (0..<nodes).map { Float($0 * 100) },
      (0..<nodes).map { $0 == 0 ? 1.6e7 : -1.6e7 },
    ] {
      var row = [UInt32](repeating: 0, count: nodes)
      logits.withUnsafeBufferPointer { logits in
        row.withUnsafeMutableBufferPointer { table.write(logits, temperature: 256, to: $0.baseAddress!) }
      }
      #expect(row.min()! >= 1 && row.reduce(0) { $0 + Int($1) } < 1 << 32)
    }
  }

  @Test("are powers of two of the logits") func powers() {
    let table = FrequencyTable(nodes: 64)
    let logits = (0..<64).map { Float(-$0 * 2731) }  // a third of a bit apart
    var row = [UInt32](repeating: 0, count: 64)
    logits.withUnsafeBufferPointer { logits in
      row.withUnsafeMutableBufferPointer { table.write(logits, temperature: 256, to: $0.baseAddress!) }
    }
    for (node, frequency) in row.enumerated() {
      let error = log2(Double(frequency)) - (24 - Double(node * 2731) / 8192)
      #expect(abs(error) < 1.0 / 63 + 1 / Double(frequency), "\(node)")
    }
  }
}
