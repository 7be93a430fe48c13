import Archives
import DDNFiles
import Foundation
import GoldenSupport
import Testing

@testable import DDNImport

@Suite("Damaged files are refused or read, and never crash") struct DamagedFileTests {
  static let small = SavedState([
    .init("ddn_seqen.0.a", [2, 3], Data(count: 24)), .init("b", [], Data(count: 4)),
    .init("c", [1, 2], Data(count: 8)),
  ])

  /// Whether a file's content is refused with an error of one line.
  private func isRefused(_ data: Data) throws -> Bool {
    do {
      let isArchive = data.starts(with: [0x50, 0x4B])
      _ = try Content(data, archive: isArchive ? ZipArchive(data, url: URL(filePath: "/x.pt")) : nil)
      return false
    } catch let error as ImportError {
      #expect(!error.problem.isEmpty && !error.problem.contains("\n"))
    } catch let error as FileError {
      #expect(error.kind == .invalid)
    }
    return true
  }

  @Test("every prefix of a small file is refused, in both formats of torch.save") func prefixes() throws {
    for whole in [Self.small.stream(), try Self.small.archive()] {
      #expect(try !isRefused(whole))
      for count in 0..<whole.count { #expect(try isRefused(whole.prefix(count)), "\(count) bytes") }
    }
  }

  @Test("every prefix of a small pickle with all kinds of values is refused") func picklePrefixes() throws {
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
        #expect(throws: ImportError.self) { try reader.read() }
      }
    }
  }

  @Test(
    "prefixes of the original's files are refused",
    arguments: ["uncond.pkl", "class10_proto2.pkl", "uncond_training-state-000001.pt"])
  func goldenPrefixes(name: String) throws {
    let whole = try Data(contentsOf: Golden.url("H/tiny_\(name)"))
    for count in Array(stride(from: 0, to: whole.count, by: 4999)) + [whole.count - 1] {
      #expect(try isRefused(whole.prefix(count)), "\(count) bytes")
    }
  }

  @Test(
    "a file with random bytes changed is refused or read",
    arguments: ["uncond.pkl", "uncond_proto2.pkl", "uncond_training-state-000001.pt"])
  func flips(name: String) throws {
    let whole = try Data(contentsOf: Golden.url("H/tiny_\(name)"))
    var generator = SeededGenerator(seed: 20_250_607)
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

  @Test("small files with a random byte changed are refused or read") func smallFlips() throws {
    var generator = SeededGenerator(seed: 7)
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
