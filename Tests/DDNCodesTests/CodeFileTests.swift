import DDN
import DDNFiles
import Foundation
import Testing

@testable import DDNCodes

@Suite("Files of codes") struct CodeFileTests {
  private static func read(_ data: Data, _ key: CodeFile.Key, prefix: Bool = false) throws -> CodeFile {
    try CodeFile(data, path: "x.ddn", key: key, allowsPrefix: prefix)
  }

  @Test(
    "codes with and without prior, classes and ends come back",
    arguments: [false, true], [(false, true), (true, true), (true, false), (false, false)])
  func roundTrip(prior: Bool, kind: (hasClasses: Bool, isWhole: Bool)) throws {
    for count in [1, 2, 100, 20_000] {
      let entries = SomeCodes.entries(count, isWhole: kind.isWhole, hasClasses: kind.hasClasses)
      let table = try CodeTable(entries, in: SomeCodes.space)
      let data = try CodeFile.data(table, key: SomeCodes.key(prior: prior))
      let file = try Self.read(data, SomeCodes.key(prior: prior))
      #expect(file.table == table && file.missingImages == 0 && file.fileBytes == data.count)
      #expect(file.table.entries == entries)
    }
  }

  @Test("a million random codes come back, each in its bits")
  func million() throws {
    let space = CodeSpace(nodes: 64, levels: 10, side: 32)
    let count = 1_000_000
    var state: UInt64 = 1
    let table = CodeTable(space: space, count: count) { _, _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1
      return Int(state >> 58)
    }
    let data = try CodeFile.data(table, key: SomeCodes.key(space))
    #expect(data.count <= count * 60 / 8 + 22)
    #expect(try Self.read(data, SomeCodes.key(space)).table == table)
  }

  @Test("one image's header and checksum are no larger than the 134 bits of a code of 64x64 pixels")
  func overhead() throws {
    let levels = Array(repeating: CodeSpace.Level(nodes: 64, side: 8), count: 19)
    let space = CodeSpace(levels + Array(repeating: .init(nodes: 32, side: 64), count: 4))
    #expect(space.bits == 134)
    let data = try CodeFile.data(CodeTable(SomeCodes.entries(1, in: space), in: space), key: SomeCodes.key(space))
    #expect(data.count <= 17 + 17)
  }

  @Test(
    "every truncation is an error, and as a prefix it has fewer levels, all of them right", arguments: [false, true])
  func truncations(prior: Bool) throws {
    for isWhole in [true, false] {
      let entries = SomeCodes.entries(40, isWhole: isWhole, hasClasses: true)
      let key = SomeCodes.key(prior: prior)
      let data = try CodeFile.data(CodeTable(entries, in: SomeCodes.space), key: key)
      var levels: [Int] = []
      for end in 0..<data.count {
        #expect(throws: FileError.self) { try Self.read(data.prefix(end), key) }
        guard let file = try? Self.read(data.prefix(end), key, prefix: true) else {
          levels.append(0)
          continue
        }
        #expect(file.table.count + file.missingImages == 40)
        for (found, whole) in zip(file.table.entries, entries) {
          #expect(found.classIndex == whole.classIndex)
          #expect(whole.code.prefix(found.code.levelCount) == found.code)
        }
        levels.append(file.table.entries.reduce(0) { $0 + $1.code.levelCount })
      }
      #expect(levels == levels.sorted() && levels.last! == entries.reduce(0) { $0 + $1.code.levelCount })
      // Nothing is held back: a byte before the end all but the last few choices are there.
      #expect(levels[data.count - 6] > 40)
    }
  }

  @Test("every flipped bit is an error", arguments: [false, true])
  func flips(prior: Bool) throws {
    let key = SomeCodes.key(prior: prior)
    let data = try CodeFile.data(CodeTable(SomeCodes.entries(3, hasClasses: true), in: SomeCodes.space), key: key)
    for place in data.indices {
      for bit in 0..<8 {
        var damaged = data
        damaged[place] ^= 1 << UInt8(bit)
        #expect(throws: FileError.self) { try Self.read(damaged, key) }
        _ = try? Self.read(damaged, key, prefix: true)  // May be anything, and ends.
      }
    }
    #expect(throws: FileError.self) { try Self.read(data + [0], key) }
  }

  @Test("another model, another prior, and a prior that is missing are named")
  func otherKeys() throws {
    let table = try CodeTable(SomeCodes.entries(1), in: SomeCodes.space)
    let plain = try CodeFile.data(table, key: SomeCodes.key())
    let priced = try CodeFile.data(table, key: SomeCodes.key(prior: true))
    var other = SequencePrior(space: SomeCodes.space)
    other.fingerprint += 1
    let otherPrior = CodeFile.Key(
      space: SomeCodes.space, classes: 10, prior: other, modelFingerprint: 0xFEDC_BA98_7654_3210)
    let cases: [(Data, CodeFile.Key, String)] = [
      (plain, SomeCodes.key(model: 1), "was encoded with another model"),
      (priced, SomeCodes.key(prior: true, model: 1), "was encoded with another model or prior"),
      (priced, otherPrior, "was encoded with another model or prior"),
      (priced, SomeCodes.key(), "was encoded with a prior"), (plain, SomeCodes.key(prior: true), "without a prior"),
    ]
    for (data, key, problem) in cases {
      let error = #expect(throws: FileError.self) { try Self.read(data, key) }
      #expect(error?.problem.contains(problem) == true, "\(error.debugDescription)")
    }
  }

  @Test("a small file that claims many images is refused before memory is taken", arguments: [false, true])
  func claims(prior: Bool) throws {
    let key = SomeCodes.key(prior: prior)
    let data = try CodeFile.data(CodeTable(SomeCodes.entries(2), in: SomeCodes.space), key: key)
    for count: [UInt8] in [[0xFF, 0xFF, 0xFF, 0x1F], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], [0]] {
      let hostile = data[..<11] + count + data[12...]
      #expect(throws: FileError.self) { try Self.read(Data(hostile), key, prefix: true) }
    }
    // Of 2^23 images in a payload of 4 GB, 40 bytes are there.
    let header = CodeFileHeader(
      fingerprint: key.fingerprint, flags: prior ? .usesPrior : [], count: CodeFileHeader.maxCount,
      payloadLength: 1 << 32)
    let file = try Self.read(header.bytes + Data(repeating: 7, count: 40), key, prefix: true)
    #expect(file.table.count + file.missingImages == CodeFileHeader.maxCount)
    #expect(file.table.count <= 48 * 8 + CodeFile.blockSize)
  }

  @Test("codes that a prior is sure of are written and read, however many there are")
  func free() throws {
    let space = CodeSpace(nodes: 1, levels: 1, side: 1)
    let table = CodeTable(space: space, count: 100_000) { _, _ in 0 }
    let data = try CodeFile.data(table, key: SomeCodes.key(space))
    #expect(try Self.read(data, SomeCodes.key(space)).table == table)
  }

  @Test("codes of which some have a class, and levels of too many nodes, are refused")
  func misfits() throws {
    var entries = SomeCodes.entries(2, hasClasses: true)
    entries[1] = CodeList.Entry(code: entries[1].code)
    #expect(throws: LatentCodeError.self) { try CodeTable(entries, in: SomeCodes.space) }
    let wide = CodeSpace(nodes: 65_537, levels: 1, side: 1)
    #expect(throws: LatentCodeError.self) { try CodeTable(SomeCodes.entries(1, in: wide), in: wide) }
    let table = try CodeTable(SomeCodes.entries(1), in: SomeCodes.space)
    #expect(throws: LatentCodeError.self) { try CodeFile.data(table, key: SomeCodes.key(wide)) }
  }
}
