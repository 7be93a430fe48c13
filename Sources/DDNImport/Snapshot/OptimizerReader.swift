import Foundation

/// What the original's Adam remembers of one parameter.
public struct OriginalMoments: Sendable, Equatable {
  /// Running mean of the gradient, of the parameter's shape.
  public let mean: OriginalTensor
  /// Running mean of the squared gradient, of the parameter's shape.
  public let square: OriginalTensor
  /// Steps taken.
  public let steps: Int
}

extension TensorReader {
  /// Adam's moments by parameter.
  ///
  /// - Parameters:
  ///   - value: what `state_dict()` of the optimizer gave.
  ///   - names: of the parameters, in the order of their numbers there.
  ///   - state: the parameters, whose shapes the moments must have.
  mutating func moments(
    _ value: PickleValue, names: [String], state: [String: OriginalTensor]
  ) throws(ImportProblem) -> [String: OriginalMoments] {
    let members = try graph.members(value, "optimizer_state")
    guard let entries = members["state"] else { throw ImportProblem("optimizer_state has no state") }
    var moments: [String: OriginalMoments] = [:]
    for (key, value) in try graph.pairs(entries, "optimizer_state's state") {
      let number = try graph.integer(key, "a parameter's number")
      guard names.indices.contains(number), moments[names[number]] == nil else {
        throw ImportProblem("optimizer_state has parameter \(number), and there are \(names.count), each once")
      }
      let name = names[number]
      let what = "\(name) in optimizer_state"
      let fields = try graph.members(value, what, limit: 100)
      guard let mean = fields["exp_avg"], let square = fields["exp_avg_sq"], let step = fields["step"] else {
        throw ImportProblem("\(what) has no exp_avg, exp_avg_sq or step")
      }
      let found = OriginalMoments(
        mean: try tensor(mean, "exp_avg of \(what)"), square: try tensor(square, "exp_avg_sq of \(what)"),
        steps: try steps(step, "step of \(what)"))
      for tensor in [found.mean, found.square] {
        guard tensor.shape == state[name]!.shape, tensor.dtype == .float32, tensor.isFinite else {
          throw ImportProblem("\(what) has moments of another shape or type, or with numbers that are infinite or none")
        }
      }
      moments[name] = found
    }
    return moments
  }

  /// A tensor of one number, or in old files a plain number.
  private mutating func steps(_ value: PickleValue, _ what: String) throws(ImportProblem) -> Int {
    if case .integer(let steps) = value, steps >= 0 { return steps }
    let tensor = try tensor(value, what)
    guard tensor.dtype == .float32, tensor.bytes.count == 4 else { throw ImportProblem("\(what) is not one number") }
    let bits = tensor.bytes.withUnsafeBytes { UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self)) }
    guard let steps = Int(exactly: Float(bitPattern: bits)), steps >= 0 else {
      throw ImportProblem("\(what) is no whole number")
    }
    return steps
  }
}
