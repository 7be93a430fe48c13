import Foundation
import Testing

/// A pickle that is wrong or hostile in one way, and words of the reason that must be given for refusing it.
struct HostilePickle: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let bytes: Data
  let reason: String

  private init(_ what: String, _ bytes: Data, _ reason: String) {
    (testDescription, self.bytes, self.reason) = (what, bytes, reason)
  }

  private init(_ what: String, _ value: Pickled, _ reason: String) { self.init(what, value.pickle(), reason) }

  /// Opcodes between the protocol and STOP; `text` is read as Latin-1.
  private init(_ what: String, opcodes text: String, version: UInt8 = 2, _ reason: String) {
    self.init(what, Data([0x80, version] + text.unicodeScalars.map { UInt8($0.value) } + [UInt8(ascii: ".")]), reason)
  }

  static let all = names + opcodes + machine + lengths

  /// What a pickle would run.
  private static let names = [
    HostilePickle("os.system", .call("os system", [.text("true")]), #"asks for "os.system""#),
    HostilePickle("posix.system", .call("posix system", [.text("true")]), #"asks for "posix.system""#),
    HostilePickle("builtins.eval", .call("builtins eval", [.text("1")]), #"asks for "builtins.eval""#),
    HostilePickle("eval as Python 2 has it", .call("__builtin__ eval", [.text("1")]), #"asks for "__builtin__.eval""#),
    HostilePickle("getattr", .global("builtins getattr"), #"asks for "builtins.getattr""#),
    HostilePickle("a function of a module that is known", .global("torch load"), #"asks for "torch.load""#),
    HostilePickle(
      "a path through attributes", opcodes: "\u{8C}\u{0B}collections\u{8C}\u{10}OrderedDict.copy\u{93}", version: 4,
      #"asks for "collections.OrderedDict.copy""#),
    HostilePickle("a name in the module's place", opcodes: "\u{8C}\u{00}\u{8C}\u{0A}range.eval\u{93}", "asks for"),
    HostilePickle("torch.load of a hub", .global("torch.hub load"), #"asks for "torch.hub.load""#),
    HostilePickle("a function of a module within os", .call("os.path join", []), #"asks for "os.path.join""#),
    HostilePickle(
      "what a call of the unknown gave, called", .raw(Array("cmine\nmake\n)R)R".utf8)), "calls what is no name"),
    HostilePickle("a name that is a number", opcodes: "K\u{01}K\u{02}\u{93}", "by what is no text"),
    HostilePickle("a call of what only is mentioned", .call("numpy ndarray", []), "numpy.ndarray in a way"),
    HostilePickle("a call of a class", .call("training.networks ConditionProcess", []), "in a way that no snapshot"),
    HostilePickle(
      "an instance of a function", .instance("torch._utils _rebuild_tensor_v2"), "in a way that no snapshot"),
    HostilePickle("a call of a number", opcodes: "K\u{01})R", "calls what is no name"),
    HostilePickle("arguments that are no tuple", opcodes: "cbuiltins\nrange\n]R", "in a way that no snapshot"),
    HostilePickle("a state for a list", .built(.list([]), state: .none), "gives a state to what takes none"),
    HostilePickle(
      "a state for a tensor", .built(.call("torch._utils _rebuild_tensor_v2", []), state: .none), "takes none"),
    HostilePickle(
      "two states",
      .built(.built(.call("random Random", []), state: .tuple([])), state: .tuple([])), "takes none"),
    HostilePickle(
      "items for an object", .items(.call("random Random", []), [(.int(1), .int(2))]), "of what is no dictionary"),
  ]

  private static let opcodes =
    [
      ("EXT1", "\u{82}\u{01}"), ("EXT2", "\u{83}\u{01}\u{00}"), ("EXT4", "\u{84}\u{01}\u{00}\u{00}\u{00}"),
      ("PERSID", "P1\n"), ("INST", "(ios\nsystem\n"), ("OBJ", "(o"), ("NEWOBJ_EX", "\u{92}"), ("DUP", "N2"),
      ("READONLY_BUFFER", "\u{98}"), ("NEXT_BUFFER", "\u{97}"), ("an opcode that is none", "\u{FF}"), ("INT", "I1\n"),
    ].map { name, opcodes in HostilePickle(name, opcodes: opcodes, "has the opcode 0x") } + [
      HostilePickle("a reference to stored objects", opcodes: "K\u{01}Q", "which only a .pt file has"),
      HostilePickle("protocol 1", opcodes: "N", version: 1, "of protocol 1"),
      HostilePickle("protocol 6", opcodes: "N", version: 6, "of protocol 6"),
      HostilePickle("no protocol", Data("N.".utf8), "does not begin with byte 0x80"),
      HostilePickle("no bytes", Data(), "does not begin with byte 0x80"),
    ]

  private static let machine = [
    HostilePickle("an empty stack at the end", opcodes: "", "0 values on its stack"),
    HostilePickle("two values at the end", opcodes: "NN", "2 values on its stack"),
    HostilePickle("a mark at the end", opcodes: "N(", "on its stack"),
    HostilePickle("a pop of nothing", opcodes: "0", "empty stack"),
    HostilePickle("a pop below a mark", opcodes: "N(0", "empty stack"),
    HostilePickle("a pair of one", opcodes: "N\u{86}", "empty stack"),
    HostilePickle("a tuple without a mark", opcodes: "Nt", "mark that is not there"),
    HostilePickle("a recall of nothing", opcodes: "h\u{07}", "recalls 7"),
    HostilePickle("a recall of the largest number", opcodes: "j\u{FF}\u{FF}\u{FF}\u{FF}", "recalls 4294967295"),
    HostilePickle("a memo of nothing", opcodes: "q\u{00}", "empty stack"),
    HostilePickle("an append to a number", opcodes: "K\u{01}K\u{02}a", "what is no list"),
    HostilePickle("items of a list", opcodes: "]K\u{01}K\u{02}s", "no dictionary"),
    HostilePickle("a key without a value", opcodes: "}(Nu", "key without a value"),
    HostilePickle("an addition to a list", opcodes: "](N\u{90}", "no set"),
    HostilePickle("a text that is not UTF-8", opcodes: "X\u{01}\u{00}\u{00}\u{00}\u{FF}", "not UTF-8"),
    HostilePickle("a name with a control character", opcodes: "cos\u{07}\nx\n", "no plain line"),
  ]

  /// Promises that the file does not keep.
  private static let lengths = [
    HostilePickle("bytes beyond the end", opcodes: "B\u{FF}\u{FF}\u{FF}\u{7F}", "of the 2147483647 bytes"),
    HostilePickle(
      "bytes beyond any memory", opcodes: "\u{8E}" + String(repeating: "\u{FF}", count: 8), "18446744073709551615"),
    HostilePickle("a text beyond the end", opcodes: "X\u{00}\u{00}\u{00}\u{10}", "of the 268435456 bytes"),
    HostilePickle("a text beyond the limit", opcodes: "X\u{FF}\u{FF}\u{FF}\u{FF}", "text of 4294967295 bytes"),
    HostilePickle(
      "a text beyond any memory", opcodes: "\u{8D}" + String(repeating: "\u{FF}", count: 8), "has a text of"),
    HostilePickle("a number beyond the end", opcodes: "\u{8B}\u{FF}\u{FF}\u{FF}\u{FF}", "of the 4294967295 bytes"),
    HostilePickle(
      "a frame beyond the end", opcodes: "\u{95}\u{FF}\u{00}\u{00}\u{00}\u{00}\u{00}\u{00}\u{00}", "frame of 255"),
    HostilePickle("a name without an end", opcodes: "cos", "ends within a module's name"),
  ]
}
