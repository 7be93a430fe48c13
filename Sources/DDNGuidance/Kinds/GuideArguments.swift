import Foundation

/// The arguments of one guide, as they are typed: `NAME:VALUE,OPTION=VALUE`.
///
/// A comma separates options only where `OPTION=` follows, so a value may be a text with commas.
public struct GuideArguments: Sendable {
  /// As it was typed, for messages.
  public let text: String
  public let name: String
  private var positional: String?
  private var options: [String: String] = [:]

  /// - Throws: `GuideError` when an option is given twice.
  public init(_ text: String) throws(GuideError) {
    self.text = text
    let end = text.firstIndex { $0 == ":" || $0 == "," } ?? text.endIndex
    name = String(text[..<end])
    guard end < text.endIndex else { return }
    let rest = String(text[text.index(after: end)...])
    for (index, part) in Self.parts(of: rest).enumerated() {
      let (option, argument) = part.split(at: "=")
      guard let argument, Self.isOptionName(option) else {
        // Only the first part can be without a name.
        precondition(index == 0)
        positional = part
        continue
      }
      guard options.updateValue(argument, forKey: option) == nil else {
        throw GuideError(.usage, "--guide \(text): \(option)= is given twice")
      }
    }
  }

  /// The value; nil if there is none.
  public mutating func value() -> String? {
    defer { positional = nil }
    return positional
  }

  /// The value of an option; nil if it is not given.
  public mutating func option(_ name: String) -> String? { options.removeValue(forKey: name) }

  /// A number that is the value.
  ///
  /// - Throws: `GuideError` when it is missing without a default, or not in the range.
  public mutating func numberValue(_ meaning: String, in range: ClosedRange<Double>, default: Double? = nil)
    throws(GuideError) -> Double
  {
    try number(value(), meaning, in: range, default: `default`)
  }

  /// A number that is the value of an option.
  ///
  /// - Throws: `GuideError` when it is missing without a default, or not in the range.
  public mutating func numberOption(_ name: String, in range: ClosedRange<Double>, default: Double? = nil)
    throws(GuideError) -> Double
  {
    try number(option(name), "\(name)=", in: range, default: `default`)
  }

  /// An integer that is the value.
  ///
  /// - Throws: `GuideError` when it is missing without a default, or not in the range.
  public mutating func integerValue(_ meaning: String, in range: ClosedRange<Int>, default: Int? = nil)
    throws(GuideError) -> Int
  {
    try integer(value(), meaning, in: range, default: `default`)
  }

  /// An integer that is the value of an option.
  ///
  /// - Throws: `GuideError` when it is missing without a default, or not in the range.
  public mutating func integerOption(_ name: String, in range: ClosedRange<Int>, default: Int? = nil)
    throws(GuideError) -> Int
  {
    try integer(option(name), "\(name)=", in: range, default: `default`)
  }

  /// An error that names the guide as it was typed.
  public func error(_ problem: String) -> GuideError { GuideError(.usage, "--guide \(text): \(problem)") }

  /// - Throws: `GuideError` when an argument was not used.
  func finish(options known: [String]) throws(GuideError) {
    if let positional { throw error("takes no value, but '\(positional)' is given") }
    guard let unknown = options.keys.min() else { return }
    let names = (known + MixedGuide.optionNames).map { "\($0)=" }.joined(separator: ", ")
    throw error("has no option \(unknown)=; its options are \(names)")
  }

  private func number(_ text: String?, _ meaning: String, in range: ClosedRange<Double>, default: Double?)
    throws(GuideError) -> Double
  {
    guard let text else {
      guard let `default` else { throw error("needs \(meaning), a number within \(range.text)") }
      return `default`
    }
    guard let number = Double(text), range.contains(number) else {
      throw error("\(meaning) '\(text)' is not a number within \(range.text)")
    }
    return number
  }

  private func integer(_ text: String?, _ meaning: String, in range: ClosedRange<Int>, default: Int?)
    throws(GuideError) -> Int
  {
    guard let text else {
      guard let `default` else { throw error("needs \(meaning), a whole number within \(range.text)") }
      return `default`
    }
    guard let number = Int(text), range.contains(number) else {
      throw error("\(meaning) '\(text)' is not a whole number within \(range.text)")
    }
    return number
  }

  /// Cut at the commas that `OPTION=` follows.
  private static func parts(of text: String) -> [String] {
    var parts: [String] = []
    for piece in text.split(separator: ",", omittingEmptySubsequences: false) {
      let (option, argument) = String(piece).split(at: "=")
      if parts.isEmpty || (argument != nil && isOptionName(option)) {
        parts.append(String(piece))
      } else {
        parts[parts.count - 1] += "," + piece
      }
    }
    return parts
  }

  private static func isOptionName(_ text: String) -> Bool {
    !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isLowercase || $0 == "-") }
  }
}

extension String {
  /// Before and after the first separator; nil after it if there is none.
  fileprivate func split(at separator: Character) -> (String, String?) {
    guard let place = firstIndex(of: separator) else { return (self, nil) }
    return (String(self[..<place]), String(self[index(after: place)...]))
  }
}

extension ClosedRange {
  fileprivate var text: String { "\(lowerBound)...\(upperBound)" }
}
