import DDNFiles
import Foundation
import GoldenSupport
import Testing

@testable import DDNImport

@Suite("A file that is not what the original writes is refused in one line") struct HostileFileTests {
  /// Two small tensors, of which a test spoils something.
  private static func saved(_ spoil: (inout SavedState.Entry) -> Void = { _ in }) -> SavedState {
    func floats(_ floats: [Float]) -> Data { floats.withUnsafeBytes { Data($0) } }
    var entries = [
      SavedState.Entry("a", [2, 3], floats([1, 2, 3, 4, 5, 6])), SavedState.Entry("b", [2], floats([7, 8])),
    ]
    spoil(&entries[0])
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

  static let tensors: [(reason: String, spoil: @Sendable (inout SavedState.Entry) -> Void)] = [
    ("needs 6 numbers from number 1 on, and 6 are stored", { $0.offset = 1 }),
    ("from number -1 on", { $0.offset = -1 }),
    ("from number 9223372036854775807 on", { $0.offset = .max }),
    ("needs 8 numbers", { ($0.shape, $0.strides) = ([2, 4], [4, 1]) }),
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
    ("counts -1", { $0.count = -1 }),
    ("counts 9223372036854775807", { $0.count = .max }),
    ("number that is infinite or none", { $0.bytes.replaceSubrange(2..<4, with: [0x80, 0x7F]) }),
    ("number that is infinite or none", { $0.bytes.replaceSubrange(2..<4, with: [0xC0, 0xFF]) }),
    ("torch.QInt8Storage", { $0.type = "QInt8Storage" }),
    ("holds no network of the original: its tensors are \"a\", \"b\"", { _ in }),
  ]

  @Test("a tensor that is no view of its numbers, or has none that are numbers", arguments: tensors.indices)
  func badTensors(index: Int) throws {
    let (reason, spoil) = Self.tensors[index]
    let saved = Self.saved(spoil)
    let scratch = try Scratch()
    // A count below zero has no place among the numbers of the older format.
    for data in try [saved.archive()] + (reason.hasPrefix("counts") ? [] : [saved.stream()]) {
      let url = try scratch.file("net.pt", data)
      let error = try #require(throws: FileError.self) { _ = try OriginalSnapshot(contentsOf: url).model() }
      #expect(error.kind == .invalid && error.problem.contains(reason), "\(error)")
    }
  }

  @Test("numbers that are missing, too few, too many, or used again and again") func storages() throws {
    for (count, bytes, reason) in [(7, 24, "has 24 bytes, not 28"), (5, 24, "has 24 bytes, not 20")] {
      let archive = try Self.saved { ($0.count, $0.bytes) = (count, Data(count: bytes)) }.archive()
      #expect(try problem(archive).problem.contains(reason))
    }
    #expect(try problem(Self.saved { $0.count = 7 }.stream()).problem.contains("numbers where 2 are promised"))
    #expect(try problem(Self.saved().stream() + Data([0])).problem.contains("goes on for 1 bytes"))

    // A thousand tensors of the same numbers.
    let entry = SavedState.Entry("a", [25_000], Data(count: 100_000))
    let names = (0..<1000).map { (Pickled.text("t\($0)"), entry.pickled(key: "0", isLegacy: false)) }
    let archive = try SavedState([entry]).archive(pickle: Pickled.dictionary(names).pickle())
    #expect(try problem(archive).problem.contains("the same numbers again and again"))

    let elsewhere = try SavedState([entry]).archive(
      pickle: Pickled.members(["a": entry.pickled(key: "../1", isLegacy: false)]).pickle())
    #expect(try problem(elsewhere).problem.contains("lacks its entry \"net/data/../1\""))
  }

  @Test("content that is something else") func otherContent() throws {
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
    #expect(try problem(Pickled.members([:]).pickle() + Data("more".utf8)).problem.contains("goes on for 4 bytes"))
    let evil = try Self.saved().archive(pickle: Pickled.call("os system", [.text("true")]).pickle())
    #expect(try problem(evil).problem.contains(#"asks for "os.system""#))
  }

  /// Changes within a snapshot, of as many bytes.
  static let changes: [(old: String, new: String, reason: String)] = [
    ("DDNPrecond", "DDNPrecand", "of the class \"DDNPrecand\""),
    ("PHDDNHandsDense", "PHDDNHandsFense", "of the class \"PHDDNHandsFense\""),
    ("DDNPrecond", "GroupNormX", "of the class"), ("class_name", "class_nime", "has no class_name"),
    ("_modules", "_nodules", "has no _modules"), ("_parameters", "_paremeters", "has no _parameters"),
    ("split_iters", "split_itars", "has no split_iters"), ("refiner_repeatn", "refiner_repaatn", "has no refiner"),
    ("block_2x2_1", "block_2x2_7", "has a block 2x2_7"), ("block_2x2_1", "block_2x3_1", "which no pyramid has"),
    ("skip_scale", "skip_scalo", "has no skip_scale"), ("norm1", "norm7", "has no tensor"),
    ("torch_utils.persistence", "torch_utils.persistenze", "a whole object of \"torch_utils.persistenze._reconstruct"),
    ("_rebuild_parameter", "_rebuild_paramater", "is an object of \"torch._utils._rebuild_paramater\", not torch._u"),
    ("multiarray", "multiarrey", "is an object of \"numpy._core.multiarrey."),
    ("class10", "class1x", "condition \"class1x\""), ("leak_choice", "leak_chaice", "has no leak_choice"),
  ]

  @Test("an object of the original that is not as it was", arguments: changes.indices)
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

  /// A module of the original with what a test puts in the places of its parts.
  private func module(_ modules: Pickled, parameters: Pickled = .members([:])) -> Pickled {
    .call("torch_utils.persistence _reconstruct_persistent_obj", [description(modules, parameters: parameters)])
  }

  private func description(_ modules: Pickled, parameters: Pickled = .members([:])) -> Pickled {
    .members([
      "type": .text("class"), "version": .int(6), "class_name": .text("DDNPrecond"),
      "state": .members(["_parameters": parameters, "_buffers": .members([:]), "_modules": modules]),
    ])
  }

  @Test("a module, or a dictionary of one, in two places of a network is refused") func shared() throws {
    let again = Pickled.raw([0x68, 0])
    let leaf = module(.members([:]))
    let call = "torch_utils.persistence _reconstruct_persistent_obj"
    let parts = Pickled.members(["_parameters": .members([:]), "_buffers": .members([:]), "_modules": .members([:])])
    for (first, second, reason) in [
      (Pickled.remembered(leaf), again, "b is what another part"),
      (.call(call, [.remembered(description(.members([:])))]), .call(call, [again]), "b is what another part"),
      (module(.remembered(.members([:]))), module(again), "b's _modules is what another part"),
      (
        module(.members([:]), parameters: .remembered(.members([:]))), module(.members([:]), parameters: again),
        "b's _p"
      ),
      (
        .built(.instance("training.networks ConditionProcess"), state: .remembered(parts)),
        .built(.instance("training.networks ConditionProcess"), state: again), "the state of b is what another part"
      ),
    ] {
      let network = module(.members(["a": first, "b": second]))
      let found = try problem(Pickled.members(["ema": network]).pickle())
      #expect(found.problem.contains(reason), "\(found)")
    }
  }

  @Test("modules that hold one another again and again are refused, not followed") func moduleBomb() throws {
    // Each of ten holds the one before fifty times, by memo: 50^10 modules.
    var bomb = module(.members([:]))
    for _ in 0..<10 {
      let again = (0..<50).map { (Pickled.text("m\($0)"), $0 == 0 ? .remembered(bomb) : Pickled.raw([0x68, 0])) }
      bomb = module(.dictionary(again))
    }
    // Sixty thousand members in each of 250 places of one leaf.
    let nones = (0..<60_000).map { (Pickled.text("p\($0)"), Pickled.none) }
    let leaf = module(.members([:]), parameters: .dictionary(nones))
    let wide = module(
      .dictionary(
        (0..<250).map { (Pickled.text("m\($0)"), $0 == 0 ? .remembered(leaf) : Pickled.raw([0x68, 0])) }))
    let start = threadSeconds()
    for network in [bomb, wide] {
      #expect(try problem(Pickled.members(["ema": network]).pickle()).problem.contains("networks here share nothing"))
    }
    #expect(threadSeconds() - start < 10)

    var deep = module(.members([:]))
    for _ in 0..<20 { deep = module(.members(["m": deep])) }
    #expect(try problem(Pickled.members(["ema": deep]).pickle()).problem.contains("in more than 12 levels"))
    let named = module(.members(["a\nb": module(.members([:]))]))
    #expect(try problem(Pickled.members(["ema": named]).pickle()).problem.contains(#"a part named "a\nb""#))
  }

  @Test("a few bytes that claim a giant are refused before the giant is made") func giant() throws {
    let scratch = try Scratch()
    let claims = SavedState([
      .init("ddn_seqen.0.ddo.multi_out_conv1x1.weight", [64], Data(count: 256)),
      .init("ddn_seqen.0.b1.2.conv1.weight", [1024], Data(count: 4096)),
    ])
    let url = try scratch.file("net.pt", claims.stream())
    let error = try #require(throws: FileError.self) { _ = try OriginalSnapshot(contentsOf: url).model() }
    #expect(error.problem.contains("holds 4352 bytes of weights, too few for the network"), "\(error)")
  }

  /// A text of a snapshot, the first bytes behind it that give way, and what takes their places.
  static let counters: [(text: String, old: [UInt8], new: [UInt8], reason: String)] = [
    ("count", [0x43, 32], [0x43, 32] + Pickled.bytes(1e308.bitPattern), "count has the number 1e+308"),
    ("near2", [0x43, 128], [0x43, 128] + Pickled.bytes((-1.0).bitPattern), "near2 has the number -1.0"),
    ("loss_acc", [0x43, 32], [0x43, 32] + Pickled.bytes((0x1p53 + 2).bitPattern), "loss_acc has the number 9.00"),
    ("iter", [0x4B, 0x18], [0x8A, 8] + Pickled.bytes(Int.max), "iter has the number 9223372036854775807"),
    ("idx_max", [0x4B, 9], [0x8A, 8] + Pickled.bytes(1 << 53 + 1), "idx_max has the number 9007199254740993"),
    ("batchn", [0x4B, 4], [0x4A] + Pickled.bytes(Int32(-4)), "batchn has the number -4"),
    ("split_iters", [0x4B, 6], [0x4A] + Pickled.bytes(Int32(-1)), "split_iters has the number -1"),
    // A size of nine numbers.
    ("count", [0x4B, 4, 0x85], [0x28] + Array(repeating: [0x4B, 1], count: 9).joined() + [0x74], "count has 9 sizes"),
  ]

  @Test("counters that no training comes to, and arrays of many sizes", arguments: counters.indices)
  func badCounters(index: Int) throws {
    let (text, old, new, reason) = Self.counters[index]
    var bytes = try Data(contentsOf: Golden.url("H/tiny_uncond.pkl"))
    let name = try #require(bytes.range(of: Data([UInt8(text.utf8.count)] + text.utf8)))
    let start = try #require(bytes.range(of: Data(old), in: name.upperBound..<bytes.count)).lowerBound
    // Bytes of an array change; other values may grow.
    let end = start + (old[0] == 0x43 ? new.count : old.count)
    bytes.replaceSubrange(start..<end, with: new)
    let found = try problem(bytes, "x.pkl")
    #expect(found.problem.contains(reason), "\(found)")
  }

  @Test("what is said of a network that says it itself, or that fits no such network") func choices() throws {
    let pyramid = try OriginalSnapshot(contentsOf: Golden.url("H/tiny_uncond.pkl"))
    for (choices, reason) in [
      (.init(conditions: [.edges]), "says itself what the network is conditioned on"),
      (.init(levels: 7), "says its levels itself"),
    ] as [(OriginalSnapshot.Choices, String)] {
      let error = try #require(throws: FileError.self) { try pyramid.model(choices) }
      #expect(error.problem.contains(reason), "\(error)")
    }
  }
}
