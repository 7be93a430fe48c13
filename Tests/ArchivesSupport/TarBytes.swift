import Foundation

/// A tar archive (ustar) of regular files.
package func tar(_ files: [(name: String, content: Data)]) -> Data {
  func header(_ name: String, _ size: Int) -> Data {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at place: Int) {
      header.replaceSubrange(place..<place + text.utf8.count, with: text.utf8)
    }
    put(name, at: 0)
    put("0000644", at: 100)
    let octal = String(size, radix: 8)
    put(String(repeating: "0", count: 11 - octal.count) + octal, at: 124)
    put("        ", at: 148)
    put("0", at: 156)
    put("ustar\u{0}00", at: 257)
    let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
    put(String(repeating: "0", count: 6 - sum.count) + sum + "\u{0}", at: 148)
    return Data(header)
  }
  return files.reduce(Data()) { archive, file in
    archive + header(file.name, file.content.count) + file.content
      + Data(count: (512 - file.content.count % 512) % 512)
  } + Data(count: 1024)
}
