import DDN
import GoldenSupport
import Testing
import Torch

@Suite("Latent codes")
struct LatentCodeTests {
  static let space = CodeSpace([4, 64, 8].map { .init(nodes: $0, side: 32) })

  @Test("a code parses its description", arguments: ["3.0.7", "0", "1.63"])
  func text(text: String) throws {
    let code = try LatentCode(parsing: text, in: Self.space)
    #expect(code.description == text)
    #expect(code.choices == text.split(separator: ".").map { Int($0)! })
  }

  @Test(
    "a malformed code is an error of one line that names the problem",
    arguments: [
      ("", "\"\""), ("3.x.7", "\"3.x.7\""), ("3..7", "\"3..7\""), ("1,2", "\"1,2\""), (" 1", "\" 1\""),
      ("+1", "\"+1\""),
      ("99999999999999999999", "\"99999999999999999999\""), ("4", "choice 4 at level 1 is not within 0...3"),
      ("3.64", "choice 64 at level 2 is not within 0...63"), ("-1", "\"-1\""),
      ("0.0.0.0", "4 choices does not fit a model of 3 levels"),
    ])
  func refusal(text: String, problem: String) {
    let error = #expect(throws: LatentCodeError.self) { try LatentCode(parsing: text, in: Self.space) }
    #expect(error?.description.contains(problem) == true)
    #expect(error?.description.contains("\n") == false)
  }

  @Test("no choices are an error")
  func empty() {
    #expect(throws: LatentCodeError.self) { try LatentCode([], in: Self.space) }
  }

  @Test(
    "a seed's code equals the original's",
    arguments: [0, 42, 12345, 4_294_967_295, 4_294_967_303, 1_099_511_627_781] as [UInt64])
  func seeds(seed: UInt64) throws {
    let numbers = try Golden.safetensors("A/torch_rand.safetensors").floats("rand_seed\(seed)")
    let nodes = numbers.indices.map { [2, 8, 64, 512, 5][$0 % 5] }
    let expected = zip(numbers, nodes).map { min(Int(Float($1) * $0), $1 - 1) }
    #expect(LatentCode(seed: seed, in: CodeSpace(nodes.map { .init(nodes: $0, side: 1) })).choices == expected)
  }

  @Test("the paper's network has codes of 60 bits")
  func bits() {
    #expect(CodeSpace(nodes: 64, levels: 10, side: 32).bits == 60)
    #expect(Self.space.bits == 11)
  }

  @Test("codes become a tensor per level, and a run's choices become codes")
  func tensors() throws {
    let codes = try ["3.0.7", "1.2.3"].map { try LatentCode(parsing: $0, in: Self.space) }
    let tensors = try codes.tensors(on: .cpu)
    #expect(try tensors.map { try $0.array(Int.self) } == [[3, 1], [0, 2], [7, 3]])
    #expect(try [LatentCode]().tensors(on: .cpu).isEmpty)

    let network = try RecurrentNetwork(.init(baseWidth: 2, nodes: 8, repeats: 3), generator: Generator(seed: 1))
    let outputs = try network.outputs(samples: 2, chooser: GivenChooser(tensors))
    #expect(try outputs.latentCodes(in: network.codeSpace).map(\.choices) == codes.map(\.choices))
  }
}
