import DDN
import DDNCodes
import DDNFiles
import Foundation

/// A prior for tests: expects a choice near the one before, at first near the class.
struct SequencePrior: CodePrior {
  let space: CodeSpace
  var classes = 10
  var fingerprint: UInt64 = 0x0123_4567_89AB_CDEF

  func begin(count: Int, classes: [Int]?) -> any CodePrediction {
    Prediction(space: space, last: classes ?? Array(repeating: 0, count: count))
  }

  private struct Prediction: CodePrediction {
    let space: CodeSpace
    var last: [Int]
    var level = 0

    func frequencies() -> [UInt32] {
      let nodes = space.levels[level].nodes
      return last.flatMap { last in (0..<nodes).map { UInt32(1000 / (1 + abs($0 - last % nodes))) + 1 } }
    }

    mutating func advance(_ choices: [Int]) {
      last = choices
      level += 1
    }

    mutating func select(_ parents: [Int]) { last = parents.map { last[$0] } }
  }
}

/// Codes for tests.
enum SomeCodes {
  static let space = CodeSpace([
    .init(nodes: 5, side: 1), .init(nodes: 64, side: 2), .init(nodes: 3, side: 2), .init(nodes: 512, side: 4),
  ])

  /// - Parameters:
  ///   - isWhole: whether all codes are complete.
  ///   - hasClasses: gives each a class in 0..<10.
  static func entries(
    _ count: Int, in space: CodeSpace = space, isWhole: Bool = true, hasClasses: Bool = false
  ) -> [CodeList.Entry] {
    (0..<count).map { number in
      let code = LatentCode(seed: UInt64(number), in: space)
      let levels = isWhole ? space.levels.count : 1 + number * 7 % space.levels.count
      return CodeList.Entry(code: code.prefix(levels), classIndex: hasClasses ? number * 3 % 10 : nil)
    }
  }

  static func key(_ space: CodeSpace = space, prior: Bool = false, model: UInt64 = 0xFEDC_BA98_7654_3210)
    -> CodeFile.Key
  {
    CodeFile.Key(space: space, classes: 10, prior: prior ? SequencePrior(space: space) : nil, modelFingerprint: model)
  }
}
