import Foundation
import Testing

@testable import DDNImport

@Suite("Pickles are read without executing anything") struct PickleReaderTests {
  private func graph(_ bytes: Data, limits: PickleReader.Limits = .init()) throws(ImportError) -> PickleGraph {
    var reader = PickleReader(bytes, allowsPersistentIDs: false, limits: limits)
    return try reader.read()
  }

  @Test("a malformed or hostile pickle is refused with a reason", arguments: HostilePickle.all)
  func refusals(hostile: HostilePickle) throws {
    let error = try #require(throws: ImportError.self) { try graph(hostile.bytes) }
    #expect(error.problem.contains(hostile.reason) && !error.problem.contains("\n"), "\(error.problem)")
  }

  @Test("integers of every length have their value and sign")
  func integers() throws {
    for (opcodes, value) in [
      ([0x4B, 0xFF], 255), ([0x4D, 0xFF, 0xFF], 65_535), ([0x4A, 0xFF, 0xFF, 0xFF, 0xFF], -1),
      ([0x4A, 0, 0, 0, 0x80], -2_147_483_648), ([0x8A, 0], 0), ([0x8A, 1, 0xFF], -1), ([0x8A, 2, 0xFF, 0], 255),
      ([0x8A, 5, 0, 0, 0, 0, 1], 1 << 32), ([0x8A, 8, 0, 0, 0, 0, 0, 0, 0, 0x80], Int.min),
      ([0x8B, 3, 0, 0, 0, 0, 0, 0x80], -8_388_608),
    ] as [([UInt8], Int)] {
      let graph = try graph(Pickled.raw(opcodes).pickle())
      #expect(try graph.integer(graph.root, "a number") == value)
    }
  }

  @Test("strings, bytes of both kinds, doubles, lists and dictionaries have their values") func values() throws {
    let bytes = Data(0...255)
    let latin = String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    let graph = try graph(
      Pickled.members([
        "text": .text("Größe \u{1F600}"), "bytes": .bytes(bytes),
        "old bytes": .call("_codecs encode", [.text(latin), .text("latin1")]), "pi": .number(.pi),
        "list": .list([.int(1), .tuple([.bool(true), .none])]),
        "ordered": .items(.call("collections OrderedDict", []), [(.text("a"), .int(7))]),
      ]).pickle())
    let members = try graph.members(graph.root, "all")
    #expect(try graph.text(members["text"]!, "") == "Größe \u{1F600}")
    #expect(try graph.bytes(members["bytes"]!, "") == bytes && graph.bytes(members["old bytes"]!, "") == bytes)
    if case .number(.pi)? = members["pi"] {} else { Issue.record("pi is another number") }
    #expect(try graph.sequence(members["list"]!, "").count == 2)
    #expect(try graph.integer(graph.members(members["ordered"]!, "")["a"]!, "") == 7)
  }

  @Test("duplicate keys and invalid bytes are refused") func contradictions() throws {
    let twice = try graph(Pickled.members(["a": .int(1), "a": .int(2)]).pickle())
    #expect(throws: ImportError("x has \"a\" twice")) { try twice.members(twice.root, "x") }
    for (text, encoding) in [("\u{100}", "latin1"), ("a", "utf8")] {
      let graph = try graph(Pickled.call("_codecs encode", [.text(text), .text(encoding)]).pickle())
      #expect(throws: ImportError.self) { try graph.bytes(graph.root, "x") }
    }
  }

  @Test("deep nesting, cycles and exponential sharing take linear time")
  func depth() throws {
    for opcode in [0x85, 0x61] as [UInt8] {
      // Nested TUPLE1; or `]]]]`, then appended into one another.
      let deep =
        opcode == 0x85
        ? [UInt8(ascii: "N")] + [UInt8](repeating: opcode, count: 1_000_000)
        : [UInt8](repeating: UInt8(ascii: "]"), count: 1_000_001) + [UInt8](repeating: opcode, count: 1_000_000)
      #expect(try graph(Pickled.raw(deep).pickle()).nodes.count >= 1_000_000)
    }
    let cycle: [UInt8] = [0x5D, 0x71, 0, 0x68, 0, 0x61]  // EMPTY_LIST, BINPUT 0, BINGET 0, APPEND
    #expect(try graph(Pickled.raw(cycle).pickle()).nodes.count == 1)
    // Each tuple holds the previous one twice: 2^10,000 leaves.
    var bomb: [UInt8] = [0x29, 0x71, 0]
    for _ in 0..<10_000 { bomb += [0x68, 0, 0x86, 0x71, 0] }
    #expect(try graph(Pickled.raw(bomb).pickle()).nodes.count == 10_001)
  }

  @Test("appending to lists and dictionaries one by one takes linear time") func growth() throws {
    // With a copy per append this takes minutes.
    for opcodes in [[0x4B, 1, 0x61], [0x4B, 1, 0x4B, 2, 0x73]] as [[UInt8]] {
      let many = (0..<100_000).flatMap { _ in opcodes }
      for container in opcodes.count == 3 ? ["]"] : ["}", "ccollections\nOrderedDict\n)R"] {
        let start = threadSeconds()
        #expect(try graph(Pickled.raw(Array(container.utf8) + many).pickle()).nodes.count <= 2)
        #expect(threadSeconds() - start < 10)
      }
    }
  }

  @Test("limits on operations, containers and strings hold") func limits() throws {
    var limits = PickleReader.Limits()
    limits.operations = 100
    limits.nodes = 10
    limits.textBytes = 5
    limits.unknownNames = 2
    limits.nameBytes = 8
    for (opcodes, reason) in [
      ([UInt8](repeating: 0x5D, count: 20), "more than 10 containers"),
      ([0x4E] + [UInt8](repeating: 0x94, count: 20), "more than 10 values on its stack or in its memo"),
      ([UInt8](repeating: 0x4E, count: 20), "more than 10 values on its stack or in its memo"),
      ([UInt8](repeating: 0x28, count: 20), "more than 10 values on its stack or in its memo"),
      (Array(repeating: [0x4E, 0x30], count: 100).flatMap(\.self), "more than 100 operations"),
      (Array("X\u{6}\0\0\0abcdef".utf8), "string of 6 bytes"),
      (Array("cm\na\ncm\nb\ncm\na\ncm\nc\n".utf8), "more than 2 unknown names"),
      (Array("cmmmm\nnnnn\n".utf8), #"refers to "mmmm.nnnn""#),
    ] {
      let error = try #require(throws: ImportError.self) {
        try graph(Pickled.raw(opcodes).pickle(), limits: limits)
      }
      #expect(error.problem.contains(reason), "\(error.problem)")
    }
  }
}
