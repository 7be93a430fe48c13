import Foundation

/// A job's progress with rate and remaining time: a status line on a terminal, a line every 30 seconds otherwise.
struct ProgressLine {
  private let total: Int
  /// Nil for a share of the work, which has no units.
  private let unit: String?
  private let start = ContinuousClock.now
  private var lastDrawn = ContinuousClock.now

  init(total: Int, unit: String) {
    self.total = total
    self.unit = unit
  }

  /// A job of which only the finished share is known; `show` takes thousandths.
  static func ofShare() -> ProgressLine { ProgressLine(total: 1000, unit: nil) }

  private init(total: Int, unit: String?) {
    self.total = total
    self.unit = unit
  }

  /// - Parameter rate: units per second; nil for the mean since `init`.
  mutating func show(_ done: Int, rate: Double? = nil, _ extra: String = "") {
    guard ContinuousClock.now - lastDrawn > (Terminal.isInteractive ? .milliseconds(100) : .seconds(30)) else { return }
    lastDrawn = .now
    let rate = rate ?? Double(done) / ((lastDrawn - start) / .seconds(1))
    let share = min(Double(done) / Double(max(total, 1)), 1)
    let width = 16
    let filled = Int(share * Double(width))
    let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
    let left = rate > 0 ? formatDuration(Double(max(total - done, 0)) / rate) : "?"
    let count = unit.map { "\(done)/\(total) \($0)" } ?? ""
    let speed = unit == nil || unit == "s" || rate <= 0 ? "" : "\(formatRate(rate))/s"
    let fields = ["\(Int(share * 100))%", count, speed, "\(left) left", extra]
    if Terminal.isInteractive {
      Terminal.showLive(Self.line([bar] + fields, columns: Terminal.columns))
    } else {
      Terminal.printError(Self.line([""] + fields, columns: .max))
    }
  }

  /// The fields bar, percentage, count, rate, time and text that fit into a line, without those that matter least.
  static func line(_ fields: [String], columns: Int) -> String {
    var fields = fields
    func joined() -> String { fields.filter { !$0.isEmpty }.joined(separator: "  ") }
    for field in [0, 5, 3, 2, 1] where joined().count >= columns { fields[field] = "" }
    return joined()
  }

  /// Removes the line.
  func clear() { Terminal.showLive("") }
}

/// "1234", "5.6", "0.25".
func formatRate(_ rate: Double) -> String { formatNumber(rate, digits: rate >= 100 ? 0 : rate >= 1 ? 1 : 2) }

/// "42s", "3m 05s", "2h 10m".
func formatDuration(_ seconds: Double) -> String {
  guard seconds >= 0, seconds < 1e8 else { return "?" }
  let whole = Int(seconds.rounded())
  func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
  if whole < 60 { return "\(whole)s" }
  if whole < 3600 { return "\(whole / 60)m \(two(whole % 60))s" }
  return "\(whole / 3600)h \(two(whole / 60 % 60))m"
}

/// A number with `digits` decimals.
func formatNumber(_ number: Double, digits: Int = 4) -> String { String(format: "%.\(digits)f", number) }

/// Perplexities of up to four layers, otherwise "minimum/median/maximum".
func formatPerplexities(_ ofLayers: [Double]) -> String {
  let sorted = ofLayers.sorted()
  let isFew = ofLayers.count <= 4
  let shown = isFew ? ofLayers : [sorted[0], sorted[sorted.count / 2], sorted.last!]
  return shown.map { formatNumber($0, digits: 1) }.joined(separator: isFew ? " " : "/")
}
