import DDNFiles
import DDNImport
import Foundation
import Testing

@Suite("State dictionaries of Python 2 and PyTorch 0.1 are read") struct Python2StateTests {
  /// Python 2's strings.
  private func text(_ text: String, isLong: Bool = false) -> Pickled {
    .raw(
      (isLong ? [0x54] + Pickled.bytes(UInt32(text.utf8.count)) : [0x55, UInt8(text.utf8.count)]) + Array(text.utf8))
  }

  private func storage(_ key: String, _ count: Int) -> Pickled {
    .persistent(
      .tuple([text("storage"), .global("torch FloatStorage"), text(key), text("cuda:0"), .int(count), .none]))
  }

  /// torch.save's legacy format: a dictionary, then storages by number.
  private func stream(_ dictionary: Pickled, storages: [[Float]] = []) -> Data {
    var data = Pickled.raw([0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]).pickle()
    data += Pickled.int(1001).pickle()
    data += Pickled.dictionary([(text("little_endian"), .bool(true))]).pickle()
    data += dictionary.pickle()
    data += Pickled.list(storages.indices.map { text("\($0)") }).pickle()
    for values in storages {
      data += Data(Pickled.bytes(values.count)) + values.withUnsafeBytes { Data($0) }
    }
    return data
  }

  /// A parameter of PyTorch 0.1, and a tensor.
  private var pairs: [Pickled] {
    let old = Pickled.call(
      "torch._utils _rebuild_tensor", [storage("0", 2), .int(0), .tuple([.int(2)]), .tuple([.int(1)])])
    let tensor = Pickled.call(
      "torch._utils _rebuild_tensor_v2",
      [storage("1", 3), .int(0), .tuple([.int(3)]), .tuple([.int(1)]), .bool(false), .none])
    let parameter = Pickled.built(
      .new("torch.nn.parameter Parameter", [old]),
      state: .tuple([.bool(true), .bool(false), .call("collections OrderedDict", [])]))
    return [.list([text("conv.weight"), parameter]), .list([text("conv.bias", isLong: true), tensor])]
  }

  @Test("an ordered dictionary made of pairs, with parameters that are instances") func pairsOfOldParameters() throws {
    let scratch = try Scratch()
    let url = try scratch.file(
      "old.pth", stream(.call("collections OrderedDict", [.list(pairs)]), storages: [[1, 2], [3, 4, 5]]))
    let state = try OriginalTensor.stateDictionary(contentsOf: url)
    #expect(state.keys.sorted() == ["conv.bias", "conv.weight"])
    #expect(try state["conv.weight"]?.tensor().array(Float.self) == [1, 2])
    #expect(try state["conv.bias"]?.tensor().array(Float.self) == [3, 4, 5])
  }

  @Test(
    "malformed pairs, parameters and strings are refused, with a remedy for any network",
    arguments: [0, 1, 2, 3])
  func malformed(index: Int) throws {
    let (dictionary, problem): (Pickled, String) = [
      (.call("collections OrderedDict", [.list([.list([text("a")])])]), "a pair of its content is a list of 1"),
      (.call("collections OrderedDict", [.list([]), .list([])]), "not a plain dictionary"),
      (
        .call("collections OrderedDict", [.list([.list([text("a"), .new("torch.nn.parameter Parameter", [])])])]),
        "is a parameter of 0 arguments"
      ), (.raw([0x55, 200]), "of the 200 bytes of a string"),
    ][index]
    let scratch = try Scratch()
    let url = try scratch.file("bad.pth", stream(dictionary))
    let error = try #require(throws: FileError.self) { try OriginalTensor.stateDictionary(contentsOf: url) }
    #expect(error.problem.contains(problem), "\(error)")
    #expect(error.remedy == "give a state dictionary: torch.save(network.state_dict(), FILE)")
  }
}
