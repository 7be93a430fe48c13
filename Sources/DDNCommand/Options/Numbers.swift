import ArgumentParser
import DDNFiles
import Foundation

// Transforms of numeric options; errors state the limits. Such options are parsed `.unconditional`ly, so that a
// negative number is a value, not an option.

/// A whole number within `range`.
func wholeNumber(in range: ClosedRange<Int>) -> @Sendable (String) throws -> Int {
  { text in
    guard let number = Int(text) else { throw ValidationError("'\(text)' is not a whole number\(limits(range))") }
    guard range.contains(number) else {
      throw ValidationError("\(number) is not\(limits(range).replacing(" of at", with: " at"))")
    }
    return number
  }
}

func wholeNumber(atLeast least: Int) -> @Sendable (String) throws -> Int { wholeNumber(in: least...Int.max) }

/// A 32-bit seed.
@Sendable func seedNumber(_ text: String) throws -> UInt64 {
  UInt64(try wholeNumber(in: 0...Int(UInt32.max))(text))
}

/// A finite number in `least...most`.
///
/// - Parameter isOpen: excludes `least`.
func number(
  from least: Double = 0, to most: Double = .infinity, isOpen: Bool = false
) -> @Sendable (String) throws -> Double {
  let words =
    (isOpen ? " above " : " of at least ") + plain(least) + (most < .infinity ? " and at most \(plain(most))" : "")
  return { text in
    guard let number = Double(text) else { throw ValidationError("'\(text)' is not a number\(words)") }
    guard number.isFinite, isOpen ? number > least : number >= least, number <= most else {
      throw ValidationError("\(text) is not a number\(words)")
    }
    return number
  }
}

private func limits(_ range: ClosedRange<Int>) -> String {
  range.upperBound == .max ? " of at least \(range.lowerBound)" : " within \(range.lowerBound)...\(range.upperBound)"
}

/// A number without trailing zeros.
func plain(_ number: Double) -> String { number == number.rounded() ? "\(Int(number))" : "\(number)" }

/// Checks before the work that its result can be written.
///
/// - Throws: `FileError` when the file exists, or its folder does not or cannot be written to.
func checkOutput(_ path: String, overwrites: Bool) throws {
  var isFolder: ObjCBool = false
  if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) {
    guard !isFolder.boolValue else {
      throw FileError(.failed, path: path, problem: "is a folder", remedy: "give the name of a file")
    }
    guard overwrites else {
      throw FileError(
        .failed, path: path, problem: "exists", remedy: "give --overwrite to replace it, or another name")
    }
  }
  try AtomicFile.prepare(URL(fileURLWithPath: path), overwrites: overwrites)
}

/// "1 seed", "2 seeds".
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
