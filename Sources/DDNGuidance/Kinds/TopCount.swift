/// How many of the best candidates a run chooses among.
public enum TopCount: Equatable, Sendable, CustomStringConvertible {
  case nodes(Int)
  /// Of K, within 0...1.
  case fraction(Double)

  /// The original program's default.
  public static let original = nodes(2)
  public static let best = nodes(1)

  /// The number of nodes: at least 1 and at most K; halves of a fraction round to even, as in the original program.
  public func count(of nodes: Int) -> Int {
    switch self {
    case .nodes(let count): min(count, nodes)
    case .fraction(let fraction):
      min(max(1, Int((Double(nodes) * fraction).rounded(.toNearestOrEven))), nodes)
    }
  }

  /// `2` is a number of nodes, `0.1` a fraction; nil for anything else.
  public init?(_ text: String) {
    if let count = Int(text), count >= 1 {
      self = .nodes(count)
    } else if text.contains("."), let fraction = Double(text), fraction > 0, fraction <= 1 {
      self = .fraction(fraction)
    } else {
      return nil
    }
  }

  public var description: String {
    switch self {
    case .nodes(let count): "\(count)"
    case .fraction(let fraction): "\(fraction)"
    }
  }
}
