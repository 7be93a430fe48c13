import Foundation
import Testing

/// A malformed or hostile pickle, and a part of the expected error.
struct HostilePickle: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let bytes: Data
  let reason: String

  private init(_ what: String, _ bytes: Data, _ reason: String) {
    (testDescription, self.bytes, self.reason) = (what, bytes, reason)
  }

  private init(_ what: String, _ value: Pickled, _ reason: String) { self.init(what, value.pickle(), reason) }

  /// Opcodes between the protocol and STOP; `text` is Latin-1.
  private init(_ what: String, opcodes text: String, version: UInt8 = 2, _ reason: String) {
    self.init(what, Data([0x80, version] + text.unicodeScalars.map { UInt8($0.value) } + [UInt8(ascii: ".")]), reason)
  }

  static let all = names + opcodes + stack + lengths

  /// Names and calls.
  private static let names = [
    HostilePickle("os.system", .call("os system", [.text("true")]), #"refers to "os.system""#),
    HostilePickle("posix.system", .call("posix system", [.text("true")]), #"refers to "posix.system""#),
    HostilePickle("builtins.eval", .call("builtins eval", [.text("1")]), #"refers to "builtins.eval""#),
    HostilePickle("Python 2's eval", .call("__builtin__ eval", [.text("1")]), #"refers to "__builtin__.eval""#),
    HostilePickle("getattr", .global("builtins getattr"), #"refers to "builtins.getattr""#),
    HostilePickle("a function of a known module", .global("torch load"), #"refers to "torch.load""#),
    HostilePickle(
      "an attribute path", opcodes: "\u{8C}\u{0B}collections\u{8C}\u{10}OrderedDict.copy\u{93}", version: 4,
      #"refers to "collections.OrderedDict.copy""#),
    HostilePickle("a name without a module", opcodes: "\u{8C}\u{00}\u{8C}\u{0A}range.eval\u{93}", "refers to"),
    HostilePickle("torch.hub.load", .global("torch.hub load"), #"refers to "torch.hub.load""#),
    HostilePickle("a function of a submodule of os", .call("os.path join", []), #"refers to "os.path.join""#),
    HostilePickle(
      "a call of an unknown call's result", .raw(Array("cmine\nmake\n)R)R".utf8)), "that is not a global name"),
    HostilePickle("a name that is a number", opcodes: "K\u{01}K\u{02}\u{93}", "that is not a string"),
    HostilePickle("a call of a plain value", .call("numpy ndarray", []), "numpy.ndarray as no snapshot does"),
    HostilePickle("a call of a class", .call("training.networks ConditionProcess", []), "as no snapshot does"),
    HostilePickle("an instance of a function", .instance("torch._utils _rebuild_tensor_v2"), "as no snapshot does"),
    HostilePickle("a call of a number", opcodes: "K\u{01})R", "that is not a global name"),
    HostilePickle("arguments that are not a tuple", opcodes: "cbuiltins\nrange\n]R", "as no snapshot does"),
    HostilePickle("a state for a list", .built(.list([]), state: .none), "sets the state of a value that has none"),
    HostilePickle(
      "a state for a tensor", .built(.call("torch._utils _rebuild_tensor_v2", []), state: .none), "that has none"),
    HostilePickle(
      "two states",
      .built(.built(.call("random Random", []), state: .tuple([])), state: .tuple([])), "that has none"),
    HostilePickle(
      "items for an object", .items(.call("random Random", []), [(.int(1), .int(2))]), "that is not a dictionary"),
  ]

  private static let opcodes =
    [
      ("EXT1", "\u{82}\u{01}"), ("EXT2", "\u{83}\u{01}\u{00}"), ("EXT4", "\u{84}\u{01}\u{00}\u{00}\u{00}"),
      ("PERSID", "P1\n"), ("INST", "(ios\nsystem\n"), ("OBJ", "(o"), ("NEWOBJ_EX", "\u{92}"), ("DUP", "N2"),
      ("READONLY_BUFFER", "\u{98}"), ("NEXT_BUFFER", "\u{97}"), ("an undefined opcode", "\u{FF}"), ("INT", "I1\n"),
    ].map { name, opcodes in HostilePickle(name, opcodes: opcodes, "has the unsupported opcode 0x") } + [
      HostilePickle("a persistent ID", opcodes: "K\u{01}Q", "which only .pt files have"),
      HostilePickle("protocol 1", opcodes: "N", version: 1, "has protocol 1"),
      HostilePickle("protocol 6", opcodes: "N", version: 6, "has protocol 6"),
      HostilePickle("no protocol", Data("N.".utf8), "does not begin with byte 0x80"),
      HostilePickle("no bytes", Data(), "does not begin with byte 0x80"),
    ]

  private static let stack = [
    HostilePickle("an empty stack at the end", opcodes: "", "0 values on its stack"),
    HostilePickle("two values at the end", opcodes: "NN", "2 values on its stack"),
    HostilePickle("a mark at the end", opcodes: "N(", "on its stack"),
    HostilePickle("a pop of an empty stack", opcodes: "0", "empty stack"),
    HostilePickle("a pop below a mark", opcodes: "N(0", "empty stack"),
    HostilePickle("a pair of one", opcodes: "N\u{86}", "empty stack"),
    HostilePickle("a tuple without a mark", opcodes: "Nt", "missing mark"),
    HostilePickle("an unset memo", opcodes: "h\u{07}", "memo 7, which is not set"),
    HostilePickle("the largest memo index", opcodes: "j\u{FF}\u{FF}\u{FF}\u{FF}", "memo 4294967295"),
    HostilePickle("a memo of an empty stack", opcodes: "q\u{00}", "empty stack"),
    HostilePickle("an append to a number", opcodes: "K\u{01}K\u{02}a", "not a list"),
    HostilePickle("items of a list", opcodes: "]K\u{01}K\u{02}s", "not a dictionary"),
    HostilePickle("a key without a value", opcodes: "}(Nu", "key without a value"),
    HostilePickle("set items of a list", opcodes: "](N\u{90}", "not a set"),
    HostilePickle("a string that is not UTF-8", opcodes: "X\u{01}\u{00}\u{00}\u{00}\u{FF}", "not UTF-8"),
    HostilePickle("a name with a control character", opcodes: "cos\u{07}\nx\n", "not a line of ASCII"),
  ]

  /// Lengths that exceed the file.
  private static let lengths = [
    HostilePickle("bytes beyond the end", opcodes: "B\u{FF}\u{FF}\u{FF}\u{7F}", "of the 2147483647 bytes"),
    HostilePickle(
      "bytes beyond any memory", opcodes: "\u{8E}" + String(repeating: "\u{FF}", count: 8), "18446744073709551615"),
    HostilePickle("a string beyond the end", opcodes: "X\u{00}\u{00}\u{00}\u{10}", "of the 268435456 bytes"),
    HostilePickle("a string beyond the limit", opcodes: "X\u{FF}\u{FF}\u{FF}\u{FF}", "string of 4294967295 bytes"),
    HostilePickle(
      "a string beyond any memory", opcodes: "\u{8D}" + String(repeating: "\u{FF}", count: 8), "has a string of"),
    HostilePickle("a number beyond the end", opcodes: "\u{8B}\u{FF}\u{FF}\u{FF}\u{FF}", "of the 4294967295 bytes"),
    HostilePickle(
      "a frame beyond the end", opcodes: "\u{95}\u{FF}\u{00}\u{00}\u{00}\u{00}\u{00}\u{00}\u{00}", "frame of 255"),
    HostilePickle("a name without an end", opcodes: "cos", "ends within a module's name"),
  ]
}
