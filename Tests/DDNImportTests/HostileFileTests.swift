import DDNFiles
import Foundation
import GoldenSupport
import Testing

@testable import DDNImport

@Suite("Malformed and hostile files are refused in one line") struct HostileFileTests {
  /// Two small tensors, the first of which a test may corrupt.
  private static func saved(_ corrupt: (inout SavedState.Entry) -> Void = { _ in }) -> SavedState {
    func floats(_ floats: [Float]) -> Data { floats.withUnsafeBytes { Data($0) } }
    var entries = [
      SavedState.Entry("a", [2, 3], floats([1, 2, 3, 4, 5, 6])), SavedState.Entry("b", [2], floats([7, 8])),
    ]
    corrupt(&entries[0])
    return SavedState(entries)
  }

  private func problem(_ data: Data, _ name: String = "file.pt") throws -> FileError {
    let scratch = try Scratch()
    let url = try scratch.file(name, data)
    let error = try #require(throws: FileError.self) { _ = try OriginalSnapshot(contentsOf: url) }
    #expect(error.kind == .invalid && !error.description.contains("\n"))
    #expect(error.path.hasPrefix(url.path))
    return error
  }

  static let tensors: [(reason: String, corrupt: @Sendable (inout SavedState.Entry) -> Void)] = [
    ("needs 6 elements from offset 1, and its storage has 6", { $0.offset = 1 }),
    ("from offset -1,", { $0.offset = -1 }),
    ("from offset 9223372036854775807,", { $0.offset = .max }),
    ("needs 8 elements", { ($0.shape, $0.strides) = ([2, 4], [4, 1]) }),
    ("has the size", { ($0.shape, $0.strides) = ([-2, 3], [3, 1]) }),
    ("has the size", { ($0.shape, $0.strides) = ([.max, .max], [.max, 1]) }),
    ("has the size", { ($0.shape, $0.strides) = ([1 << 40, 1 << 40], [1 << 40, 1]) }),
    ("has the size", { ($0.shape, $0.strides) = ([0, 1 << 40, 1 << 40], [1, 1, 1]) }),
    ("has the size [0]", { ($0.shape, $0.strides) = ([0], [1]) }),
    ("has the strides [0, 1]", { $0.strides = [0, 1] }),
    ("has the strides [0, 0]", { ($0.shape, $0.strides) = ([1 << 30, 1 << 30], [0, 0]) }),
    ("has the strides [4, 1]", { $0.strides = [4, 1] }),
    ("has the strides [-3, 1]", { $0.strides = [-3, 1] }),
    ("has 2 sizes and 1 strides", { $0.strides = [1] }),
    ("has 9 sizes", { ($0.shape, $0.strides) = (Array(repeating: 1, count: 9), Array(repeating: 1, count: 9)) }),
    ("has the count -1", { $0.count = -1 }),
    ("has the count 9223372036854775807", { $0.count = .max }),
    ("values that are not finite", { $0.bytes.replaceSubrange(2..<4, with: [0x80, 0x7F]) }),
    ("values that are not finite", { $0.bytes.replaceSubrange(2..<4, with: [0xC0, 0xFF]) }),
    ("torch.QInt8Storage", { $0.type = "QInt8Storage" }),
    ("holds no network of the original: its tensors are \"a\", \"b\"", { _ in }),
  ]

  @Test("invalid views, storages and values", arguments: tensors.indices)
  func badTensors(index: Int) throws {
    let (reason, corrupt) = Self.tensors[index]
    let saved = Self.saved(corrupt)
    let scratch = try Scratch()
    // The legacy format cannot store these counts.
    for data in try [saved.archive()] + (reason.hasPrefix("has the count") ? [] : [saved.stream()]) {
      let url = try scratch.file("net.pt", data)
      let error = try #require(throws: FileError.self) { _ = try OriginalSnapshot(contentsOf: url).model() }
      #expect(error.kind == .invalid && error.problem.contains(reason), "\(error)")
    }
  }

  @Test("storages that are missing, too short, too long, or shared too often") func storages() throws {
    for (count, bytes, reason) in [(7, 24, "has 24 bytes, not 28"), (5, 24, "has 24 bytes, not 20")] {
      let archive = try Self.saved { ($0.count, $0.bytes) = (count, Data(count: bytes)) }.archive()
      #expect(try problem(archive).problem.contains(reason))
    }
    #expect(try problem(Self.saved { $0.count = 7 }.stream()).problem.contains("elements, not 2 as declared"))
    #expect(try problem(Self.saved().stream() + Data([0])).problem.contains("has 1 bytes after its storages"))

    // A thousand tensors of one storage.
    let entry = SavedState.Entry("a", [25_000], Data(count: 100_000))
    let names = (0..<1000).map { (Pickled.text("t\($0)"), entry.pickled(key: "0", isLegacy: false)) }
    let archive = try SavedState([entry]).archive(pickle: Pickled.dictionary(names).pickle())
    #expect(try problem(archive).problem.contains("from shared storages"))

    let elsewhere = try SavedState([entry]).archive(
      pickle: Pickled.members(["a": entry.pickled(key: "../1", isLegacy: false)]).pickle())
    #expect(try problem(elsewhere).problem.contains("has no entry \"net/data/../1\""))
  }

  @Test("other content") func otherContent() throws {
    for (content, reason) in [
      (.none, "its content is None"), (.list([.int(1)]), "its content is a list of 1"),
      (.members([:]), "its tensors are none"), (.members(["a": .int(1)]), "\"a\" is 1, not torch._utils"),
      (.dictionary([(.int(1), .int(2))]), "a key of its content is 1"),
      (.members(["ema": .none]), "the network is None, not a module"),
      (.members(["ema": .call("random Random", [])]), "the network is an object of random.Random"),
      (.members(["net": .call("collections OrderedDict", [])]), "collections.OrderedDict, not a module"),
    ] as [(Pickled, String)] {
      let scratch = try Scratch()
      let url = try scratch.file("x.pkl", content.pickle())
      let error = try #require(throws: FileError.self) { _ = try OriginalSnapshot(contentsOf: url).model() }
      #expect(error.problem.contains(reason), "\(error)")
    }
    #expect(
      try problem(Pickled.members([:]).pickle() + Data("more".utf8)).problem.contains("has 4 bytes after its end"))
    let evil = try Self.saved().archive(pickle: Pickled.call("os system", [.text("true")]).pickle())
    #expect(try problem(evil).problem.contains(#"refers to "os.system""#))
  }

  /// Replacements of equal length in a snapshot.
  static let changes: [(old: String, new: String, reason: String)] = [
    ("DDNPrecond", "DDNPrecand", "the unsupported class \"DDNPrecand\""),
    ("PHDDNHandsDense", "PHDDNHandsFense", "the unsupported class \"PHDDNHandsFense\""),
    ("DDNPrecond", "GroupNormX", "the unsupported class"), ("class_name", "class_nime", "has no class_name"),
    ("_modules", "_nodules", "has no _modules"), ("_parameters", "_paremeters", "has no _parameters"),
    ("split_iters", "split_itars", "has no split_iters"), ("refiner_repeatn", "refiner_repaatn", "has no refiner"),
    ("block_2x2_1", "block_2x2_7", "has a block 2x2_7"), ("block_2x2_1", "block_2x3_1", "has the unknown layer"),
    ("skip_scale", "skip_scalo", "has no skip_scale"), ("norm1", "norm7", "has no tensor"),
    ("torch_utils.persistence", "torch_utils.persistenze", "an object of \"torch_utils.persistenze._reconstruct"),
    ("_rebuild_parameter", "_rebuild_paramater", "is an object of \"torch._utils._rebuild_paramater\", not torch._u"),
    ("multiarray", "multiarrey", "is an object of \"numpy._core.multiarrey."),
    ("class10", "class1x", "condition \"class1x\""), ("leak_choice", "leak_chaice", "has no leak_choice"),
  ]

  @Test("changed objects of the original", arguments: changes.indices)
  func changedObjects(index: Int) throws {
    let (old, new, reason) = Self.changes[index]
    let scratch = try Scratch()
    var bytes = try Data(contentsOf: Golden.url("H/tiny_class10.pkl"))
    try #require(old.utf8.count == new.utf8.count && bytes.range(of: Data(old.utf8)) != nil)
    while let place = bytes.range(of: Data(old.utf8)) { bytes.replaceSubrange(place, with: Data(new.utf8)) }
    let url = try scratch.file("x.pkl", bytes)
    let error = try #require(throws: FileError.self) { _ = try OriginalSnapshot(contentsOf: url).model() }
    #expect(error.kind == .invalid && error.problem.contains(reason), "\(error)")
  }

  /// A module of the original with given parts.
  private func module(_ modules: Pickled, parameters: Pickled = .members([:])) -> Pickled {
    .call("torch_utils.persistence _reconstruct_persistent_obj", [description(modules, parameters: parameters)])
  }

  private func description(_ modules: Pickled, parameters: Pickled = .members([:])) -> Pickled {
    .members([
      "type": .text("class"), "version": .int(6), "class_name": .text("DDNPrecond"),
      "state": .members(["_parameters": parameters, "_buffers": .members([:]), "_modules": modules]),
    ])
  }

  @Test("modules and dictionaries that are shared within a network") func shared() throws {
    let again = Pickled.raw([0x68, 0])
    let leaf = module(.members([:]))
    let call = "torch_utils.persistence _reconstruct_persistent_obj"
    let parts = Pickled.members(["_parameters": .members([:]), "_buffers": .members([:]), "_modules": .members([:])])
    for (first, second, reason) in [
      (Pickled.remembered(leaf), again, "b is shared"),
      (.call(call, [.remembered(description(.members([:])))]), .call(call, [again]), "b is shared"),
      (module(.remembered(.members([:]))), module(again), "b's _modules is shared"),
      (
        module(.members([:]), parameters: .remembered(.members([:]))), module(.members([:]), parameters: again),
        "b's _p"
      ),
      (
        .built(.instance("training.networks ConditionProcess"), state: .remembered(parts)),
        .built(.instance("training.networks ConditionProcess"), state: again), "the state of b is shared"
      ),
    ] {
      let network = module(.members(["a": first, "b": second]))
      let found = try problem(Pickled.members(["ema": network]).pickle())
      #expect(found.problem.contains(reason), "\(found)")
    }
  }

  @Test("exponentially shared, deep and badly named modules") func moduleBomb() throws {
    // Each of ten modules holds the previous one fifty times, by memo: 50^10 modules.
    var bomb = module(.members([:]))
    for _ in 0..<10 {
      let again = (0..<50).map { (Pickled.text("m\($0)"), $0 == 0 ? .remembered(bomb) : Pickled.raw([0x68, 0])) }
      bomb = module(.dictionary(again))
    }
    // A leaf of 60,000 members, shared 250 times.
    let nones = (0..<60_000).map { (Pickled.text("p\($0)"), Pickled.none) }
    let leaf = module(.members([:]), parameters: .dictionary(nones))
    let wide = module(
      .dictionary(
        (0..<250).map { (Pickled.text("m\($0)"), $0 == 0 ? .remembered(leaf) : Pickled.raw([0x68, 0])) }))
    let start = threadSeconds()
    for network in [bomb, wide] {
      #expect(try problem(Pickled.members(["ema": network]).pickle()).problem.contains("is shared with another part"))
    }
    #expect(threadSeconds() - start < 10)

    var deep = module(.members([:]))
    for _ in 0..<20 { deep = module(.members(["m": deep])) }
    #expect(try problem(Pickled.members(["ema": deep]).pickle()).problem.contains("nested deeper than 12"))
    let named = module(.members(["a\nb": module(.members([:]))]))
    #expect(try problem(Pickled.members(["ema": named]).pickle()).problem.contains(#"the invalid name "a\nb""#))
  }

  @Test("a small file that declares a huge network is refused before allocation") func hugeNetwork() throws {
    let scratch = try Scratch()
    let claims = SavedState([
      .init("ddn_seqen.0.ddo.multi_out_conv1x1.weight", [64], Data(count: 256)),
      .init("ddn_seqen.0.b1.2.conv1.weight", [1024], Data(count: 4096)),
    ])
    let url = try scratch.file("net.pt", claims.stream())
    let error = try #require(throws: FileError.self) { _ = try OriginalSnapshot(contentsOf: url).model() }
    #expect(error.problem.contains("holds 1088 weights, too few for the network"), "\(error)")
  }

  /// A string of a snapshot, the first occurrence of bytes after it, and their replacement.
  static let counters: [(text: String, old: [UInt8], new: [UInt8], reason: String)] = [
    ("count", [0x43, 32], [0x43, 32] + Pickled.bytes(1e308.bitPattern), "count has the value 1e+308"),
    ("near2", [0x43, 128], [0x43, 128] + Pickled.bytes((-1.0).bitPattern), "near2 has the value -1.0"),
    ("loss_acc", [0x43, 32], [0x43, 32] + Pickled.bytes((0x1p53 + 2).bitPattern), "loss_acc has the value 9.00"),
    ("iter", [0x4B, 0x18], [0x8A, 8] + Pickled.bytes(Int.max), "iter has the value 9223372036854775807"),
    ("idx_max", [0x4B, 9], [0x8A, 8] + Pickled.bytes(1 << 53 + 1), "idx_max has the value 9007199254740993"),
    ("batchn", [0x4B, 4], [0x4A] + Pickled.bytes(Int32(-4)), "batchn has the value -4"),
    ("split_iters", [0x4B, 6], [0x4A] + Pickled.bytes(Int32(-1)), "split_iters has the value -1"),
    // A shape of nine sizes.
    ("count", [0x4B, 4, 0x85], [0x28] + Array(repeating: [0x4B, 1], count: 9).joined() + [0x74], "count has 9 sizes"),
  ]

  @Test("impossible counters and array shapes", arguments: counters.indices)
  func badCounters(index: Int) throws {
    let (text, old, new, reason) = Self.counters[index]
    var bytes = try Data(contentsOf: Golden.url("H/tiny_uncond.pkl"))
    let name = try #require(bytes.range(of: Data([UInt8(text.utf8.count)] + text.utf8)))
    let start = try #require(bytes.range(of: Data(old), in: name.upperBound..<bytes.count)).lowerBound
    // Array content is overwritten; other values may change in length.
    let end = start + (old[0] == 0x43 ? new.count : old.count)
    bytes.replaceSubrange(start..<end, with: new)
    let found = try problem(bytes, "x.pkl")
    #expect(found.problem.contains(reason), "\(found)")
  }

  @Test("choices that contradict the file") func choices() throws {
    let pyramid = try OriginalSnapshot(contentsOf: Golden.url("H/tiny_uncond.pkl"))
    for (choices, reason) in [
      (.init(conditions: [.edges]), "already defines its condition"),
      (.init(levels: 7), "whose weights define its levels"),
    ] as [(OriginalSnapshot.Choices, String)] {
      let error = try #require(throws: FileError.self) { try pyramid.model(choices) }
      #expect(error.problem.contains(reason), "\(error)")
    }
  }
}
