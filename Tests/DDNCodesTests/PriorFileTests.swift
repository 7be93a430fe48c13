import DDN
import DDNFiles
import Foundation
import GoldenSupport
import Testing
import Torch

@testable import DDNCodes

@Suite("Prior files") struct PriorFileTests {
  private static func small() throws -> IntegerPrior {
    let shape = PriorShape(space: FormulaPrior.space, classes: 3, width: 4, hidden: 5)
    let integers = shape.tensors.mapValues { tensor in
      (0..<tensor.shape.reduce(1, *)).map { Int32($0 % 11) - 5 }
    }
    return try IntegerPrior(
      space: FormulaPrior.space, shape: shape, integers: integers, modelFingerprint: 0xFEDC_BA98_7654_3210,
      training: PriorSummary(data: "formula", codes: 1, codesSeen: 2, elapsedSeconds: 3, heldOutBits: 4))
  }

  @Test("a prior reads back as it was written") func roundTrip() throws {
    let folder = try ScratchFolder()
    let prior = try FormulaPrior.make()
    try prior.write(to: folder.file("a.safetensors"))
    let read = try IntegerPrior(contentsOf: folder.file("a.safetensors"), space: FormulaPrior.space, fingerprint: 7)
    #expect(read.fingerprint == prior.fingerprint && read.shape == prior.shape && read.training == nil)
    #expect(try FormulaPrior.frequencies(of: [4], by: read) == FormulaPrior.frequencies(of: [4], by: prior))
    try Self.small().write(to: folder.file("b.safetensors"))
    let small = try IntegerPrior(contentsOf: folder.file("b.safetensors"))
    #expect(small.training?.heldOutBits == 4 && small.modelFingerprint == 0xFEDC_BA98_7654_3210)
  }

  @Test("the fingerprint changes with every weight, the model and the levels") func fingerprint() throws {
    var found: Set<UInt64> = []
    func add(_ change: (inout [String: [Int32]]) -> Void, model: UInt64 = 7, side: Int = 1) throws {
      var integers = FormulaPrior.integers()
      change(&integers)
      let space = CodeSpace([.init(nodes: 3, side: side)] + FormulaPrior.space.levels.dropFirst())
      found.insert(
        try IntegerPrior(
          space: space, shape: FormulaPrior.shape, integers: integers, modelFingerprint: model, training: nil
        ).fingerprint)
    }
    try add({ _ in })
    for name in FormulaPrior.shape.tensors.keys {
      try add({ $0[name]![0] += 1 })
      try add({ $0[name]![$0[name]!.count - 1] -= 1 })
    }
    try add({ _ in }, model: 8)
    try add({ _ in }, side: 2)
    #expect(found.count == 15)
  }

  @Test("every truncation and every flipped byte is an error, or leaves the prior equal") func damage() throws {
    let folder = try ScratchFolder()
    let (url, damaged) = (folder.file("a.safetensors"), folder.file("b.safetensors"))
    let prior = try Self.small()
    try prior.write(to: url)
    let bytes = try Data(contentsOf: url)
    for length in stride(from: 0, to: bytes.count, by: 7) {
      try bytes.prefix(length).write(to: damaged)
      #expect(throws: FileError.self) { try IntegerPrior(contentsOf: damaged) }
    }
    for place in bytes.indices {
      var changed = bytes
      changed[place] ^= 1 << (place % 8)
      try changed.write(to: damaged)
      do {
        let read = try IntegerPrior(
          contentsOf: damaged, space: FormulaPrior.space, fingerprint: prior.modelFingerprint)
        #expect(read.fingerprint == prior.fingerprint, "byte \(place)")
      } catch { #expect(error is FileError, "byte \(place): \(error)") }
    }
  }

  @Test("files of other kinds, other models and impossible shapes are errors of one line") func wrong() throws {
    let folder = try ScratchFolder()
    let url = folder.file("a.safetensors")
    let weight = [("heads.bias", try Tensor([Float(1)], shape: [1]))]
    func expect(
      _ part: String, _ metadata: [String: String], space: CodeSpace? = nil, remedy: String = ""
    ) throws {
      try SafetensorsFile.write(Dictionary(uniqueKeysWithValues: weight), metadata: metadata, to: url)
      let error = #expect(throws: FileError.self) { try IntegerPrior(contentsOf: url, space: space) }
      #expect(error?.kind == .invalid && error?.problem.contains(part) == true, "\(String(describing: error))")
      #expect(error?.remedy.hasSuffix(remedy) == true, "\(String(describing: error))")
    }
    let format = ["format": IntegerPrior.fileKind.format, "version": "1"]
    func described(_ levels: String, width: Int = 4, classes: Int = 0) -> [String: String] {
      format.merging([
        "prior":
          "{\"levels\":\(levels),\"classes\":\(classes),\"width\":\(width),\"hidden\":4,\"modelFingerprint\":\"ff\"}"
      ]) { $1 }
    }
    try expect("is not a prior", [:])
    try expect("has format version none", ["format": IntegerPrior.fileKind.format])
    try expect(
      "has format version \"2\"", ["format": IntegerPrior.fileKind.format, "version": "2"],
      remedy: "this one reads version 1")
    try expect("metadata 'prior'", format)
    try expect("describes no codes", described("[[2,1]]"))
    try expect("describes no codes", described("[[2,1,99999999999]]"))
    try expect("describes no codes", described("[[0,1,1]]"))
    try expect("invalid prior", described("[]"))
    try expect("width must be", described("[[2,1,1]]", width: 1_000_000_000))
    try expect("number of classes", described("[[2,1,1]]", classes: -1))
    try expect("describes no codes", described("[[2,1,2]]"))
    try expect("more than", described("[\(Array(repeating: "[65536,1,1]", count: 65).joined(separator: ","))]"))
    try expect("has no tensor named", described("[[2,1,1]]"))
    try expect("another model", described("[[2,1,1]]"), space: FormulaPrior.space)
    let missing = #expect(throws: FileError.self) { try IntegerPrior(contentsOf: folder.file("none")) }
    #expect(missing?.kind == .missing)
    try Self.small().write(to: url)
    let other = #expect(throws: FileError.self) { try IntegerPrior(contentsOf: url, fingerprint: 1) }
    #expect(other?.problem == "is the prior of another model")
  }

  @Test("a prior lies beside its model") func beside() {
    func name(_ path: String) -> String { IntegerPrior.url(besides: URL(filePath: path)).path }
    #expect(name("/a/mnist.safetensors") == "/a/mnist.prior.safetensors")
    #expect(name("/runs/00000-mnist/model.safetensors") == "/runs/00000-mnist/prior.safetensors")
  }
}
