import Foundation
import RecordSupport
import Testing
import Torch

/// A run folder.
struct SavedRun {
  let url: URL

  var model: URL { url.appending(path: "model.safetensors") }

  /// The images of every saved state, ascending.
  var states: [Int] {
    get throws { try names().compactMap { $0.hasPrefix("state-") ? Int($0.dropFirst(6)) : nil }.sorted() }
  }

  /// Leftovers of earlier saves and killed processes.
  var leftovers: [String] { get throws { try names().filter { $0.hasPrefix(".") } } }

  private func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: url.path) }

  func state(_ images: Int, _ file: String) -> URL {
    let number = String(images)
    return url.appending(path: "state-\(String(repeating: "0", count: 10 - number.count))\(number)/\(file).safetensors")
  }

  /// The lines of `stats.jsonl` without times.
  func statistics() throws -> [NSDictionary] {
    let file = url.appending(path: "stats.jsonl")
    guard FileManager.default.fileExists(atPath: file.path) else { return [] }
    return try Data(contentsOf: file).split(separator: UInt8(ascii: "\n")).map { line in
      var tick = try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
      tick["elapsedSeconds"] = nil
      tick["imagesPerSecond"] = nil
      return tick as NSDictionary
    }
  }

  /// Expects every file with its final name to be intact.
  func expectWhole() throws {
    for name in try names() where !name.hasPrefix(".") {
      let file = url.appending(path: name)
      switch file.pathExtension {
      case "safetensors": _ = try SafetensorsFile(contentsOf: file)
      case "png": #expect(try Data(contentsOf: file).suffix(8) == Data("IEND".utf8) + [0xae, 0x42, 0x60, 0x82])
      case "svg": #expect(try String(contentsOf: file, encoding: .utf8).hasSuffix("</svg>\n"))
      case "json": _ = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
      case "jsonl": _ = try statistics()
      case _ where name.hasPrefix("events.out.tfevents."): _ = try RecordFile(contentsOf: file)
      default: #expect(name.hasPrefix("state-"), "\(name) has no business here")
      }
    }
    for images in try states {
      _ = try SafetensorsFile(contentsOf: state(images, "model"))
      _ = try SafetensorsFile(contentsOf: state(images, "training"))
    }
  }

  /// Expects bit-identical weights, averages, moments, statistics and random state.
  func expectEqual(to other: SavedRun) throws {
    #expect(try states.last == other.states.last)
    let last = try #require(try states.last)
    try expectEqualTensors(model, other.model)
    try expectEqualTensors(state(last, "model"), other.state(last, "model"))
    try expectEqualTensors(state(last, "training"), other.state(last, "training"))
  }

  private func expectEqualTensors(_ one: URL, _ other: URL) throws {
    let (one, other) = (try SafetensorsFile(contentsOf: one), try SafetensorsFile(contentsOf: other))
    #expect(!one.entries.isEmpty && one.entries == other.entries)
    for name in one.entries.keys {
      #expect(try one.withBytes(of: name) { Data($0) } == other.withBytes(of: name) { Data($0) }, "\(name) differs")
    }
  }
}
