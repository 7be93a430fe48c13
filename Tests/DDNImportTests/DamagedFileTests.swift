import Archives
import DDNFiles
import Foundation
import GoldenSupport
import Testing

@testable import DDNImport

@Suite("A damaged file is refused or read, and never does worse") struct DamagedFileTests {
  static let small = SavedState([
    .init("ddn_seqen.0.a", [2, 3], Data(count: 24)), .init("b", [], Data(count: 4)),
    .init("c", [1, 2], Data(count: 8)),
  ])

  /// Reads a file's content.
  ///
  /// - Returns: whether it was refused with a reason in one line.
  private func isRefused(_ data: Data) throws -> Bool {
    do {
      let isArchive = data.starts(with: [0x50, 0x4B])
      _ = try Content(data, archive: isArchive ? ZipArchive(data, url: URL(filePath: "/x.pt")) : nil)
      return false
    } catch let problem as ImportProblem {
      #expect(!problem.text.isEmpty && !problem.text.contains("\n"))
    } catch let error as FileError {
      #expect(error.kind == .invalid)
    }
    return true
  }

  @Test("every beginning of a small file is refused, in both formats of torch.save") func prefixes() throws {
    for whole in [Self.small.stream(), try Self.small.archive()] {
      #expect(try !isRefused(whole))
      for count in 0..<whole.count { #expect(try isRefused(whole.prefix(count)), "\(count) bytes") }
    }
  }

  @Test("every beginning of a small pickle with every kind of value is refused") func picklePrefixes() throws {
    let whole = Pickled.members([
      "numbers": .list([.int(1), .int(1 << 40), .number(0.5), .bool(false)]), "bytes": .bytes(Data(0...99)),
      "object": .built(.instance("training.networks ConditionProcess"), state: .members(["a": .none])),
      "ordered": .items(.call("collections OrderedDict", []), [(.text("a"), .tuple([]))]),
    ]).pickle()
    for count in 0...whole.count {
      var reader = PickleReader(whole.prefix(count), allowsPersistentIDs: false)
      if count == whole.count {
        _ = try reader.read()
      } else {
        #expect(throws: ImportProblem.self) { try reader.read() }
      }
    }
  }

  @Test(
    "beginnings of the original's own files are refused",
    arguments: ["uncond.pkl", "class10_proto2.pkl", "uncond_training-state-000001.pt"])
  func goldenPrefixes(name: String) throws {
    let whole = try Data(contentsOf: Golden.url("H/tiny_\(name)"))
    for count in Array(stride(from: 0, to: whole.count, by: 4999)) + [whole.count - 1] {
      #expect(try isRefused(whole.prefix(count)), "\(count) bytes")
    }
  }

  @Test(
    "a file with other bytes here and there is refused or read",
    arguments: ["uncond.pkl", "uncond_proto2.pkl", "uncond_training-state-000001.pt"])
  func flips(name: String) throws {
    let whole = try Data(contentsOf: Golden.url("H/tiny_\(name)"))
    var generator = Splitmix(state: 20_250_607)
    var refused = 0
    for _ in 0..<150 {
      var damaged = whole
      for _ in 0..<Int.random(in: 1...8, using: &generator) {
        let place = Int.random(in: 0..<damaged.count, using: &generator)
        damaged[place] = UInt8.random(in: 0...255, using: &generator)
      }
      if try isRefused(damaged) { refused += 1 }
    }
    #expect(refused > 20)
  }

  @Test("small files with other bytes are refused or read") func smallFlips() throws {
    var generator = Splitmix(state: 7)
    for whole in [Self.small.stream(), try Self.small.archive()] {
      for _ in 0..<3000 {
        var damaged = whole
        let place = Int.random(in: 0..<damaged.count, using: &generator)
        damaged[place] = UInt8.random(in: 0...255, using: &generator)
        _ = try isRefused(damaged)
      }
    }
  }
}

/// SplitMix64: the same damage every time.
struct Splitmix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
