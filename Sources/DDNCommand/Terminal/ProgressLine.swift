import Foundation

/// A job's progress with rate and remaining time: a status line on a terminal, a line every 30 seconds otherwise.
struct ProgressLine {
  private let total: Int
  private let unit: String
  private let start = ContinuousClock.now
  private var lastDrawn = ContinuousClock.now

  init(total: Int, unit: String) {
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
    let speed = unit == "s" || rate <= 0 ? "" : "  \(formatRate(rate))/s"
    let text = "\(Int(share * 100))%  \(done)/\(total) \(unit)\(speed)  \(left) left  \(extra)"
    if Terminal.isInteractive {
      Terminal.showLive("\(bar) \(text)")
    } else {
      Terminal.printError(text)
    }
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
