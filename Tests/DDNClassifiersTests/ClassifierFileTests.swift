import DDNFiles
import Foundation
import Testing
import Torch

@testable import DDNClassifiers

@Suite("Files that are no classifiers are refused in one line")
struct ClassifierFileTests {
  private static func refusal(_ change: (URL) throws -> Void) throws -> FileError {
    let folder = try SmallDigits.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let url = folder.appending(path: "c.safetensors")
    try SmallDigits.trainer(images: 50, of: 60).classifier().write(to: url)
    try change(url)
    return try #require(throws: FileError.self) { try ResidualClassifier(contentsOf: url) }
  }

  /// Writes the file again with other metadata or tensors.
  private static func rewrite(
    _ url: URL, metadata: [String: String?] = [:], tensors: (inout [String: Tensor]) throws -> Void = { _ in }
  ) throws {
    let file = try SafetensorsFile(contentsOf: url)
    var changed = file.metadata.filter { $0.key != "crc32" }
    for (key, value) in metadata { changed[key] = value }
    var all = try file.entries.keys.reduce(into: [:]) { $0[$1] = try file.tensor($1) }
    try tensors(&all)
    try SafetensorsFile.write(all, metadata: changed, to: url)
  }

  @Test("missing, truncated and damaged files") func damage() throws {
    #expect(try Self.refusal { try Folder.remove($0) }.kind == .missing)
    let truncated = try Self.refusal { try AtomicFile.write(Data(contentsOf: $0).dropLast(100), to: $0) }
    #expect(truncated.kind == .invalid)
    let damaged = try Self.refusal {
      var bytes = try Data(contentsOf: $0)
      bytes[bytes.count - 9] ^= 0x40
      try AtomicFile.write(bytes, to: $0)
    }
    #expect(damaged.kind == .invalid && damaged.problem.contains("checksum"))
  }

  @Test(
    "metadata of other files",
    arguments: [
      ("format", "ddn-swift", "is not a classifier"), ("version", "9", "format version \"9\""),
      ("classifier", "{}", "'classifier' is missing or cannot be read"),
      ("classifier", #"{"channels":1,"side":12,"classes":10,"width":4}"#, "invalid classifier: a side of 12"),
      ("classifier", #"{"channels":1,"side":8,"classes":10,"width":6}"#, "not F16 [24]"),
      ("training", "[", "'training' is missing or cannot be read"),
    ])
  func metadata(key: String, value: String, problem: String) throws {
    let error = try Self.refusal { try Self.rewrite($0, metadata: [key: value]) }
    #expect(error.kind == .invalid && error.problem.contains(problem), "\(error)")
  }

  @Test("missing, additional and float32 tensors") func tensors() throws {
    let missing = try Self.refusal { try Self.rewrite($0) { $0["head.weight"] = nil } }
    #expect(missing.problem.contains("has no tensor named 'head.weight'"))
    let additional = try Self.refusal { try Self.rewrite($0) { $0["extra"] = try .zeros([1]) } }
    #expect(additional.problem.contains("\"extra\""))
    let other = try Self.refusal { try Self.rewrite($0) { $0["stem.bias"] = try $0["stem.bias"]!.to(.float32) } }
    #expect(other.problem.contains("'stem.bias' is F32 [8], not F16 [8]"))
  }

  @Test("a name that is neither a file nor shipped lists the shipped ones") func names() throws {
    let error = try #require(throws: FileError.self) { try ResidualClassifier.url(of: "no-such") }
    #expect(error.kind == .missing)
    for name in ResidualClassifier.shippedNames {
      #expect(error.remedy.contains(name))
      #expect(try ResidualClassifier.url(of: name) == ResidualClassifier.shippedURL(name))
    }
  }
}

@Suite("Shipped classifiers")
struct ShippedClassifierTests {
  @Test(
    "they read at least 97% of the shipped test digits",
    arguments: ["digits", "digits-judge"].filter(ResidualClassifier.shippedNames.contains))
  func digits(name: String) throws {
    let classifier = try ResidualClassifier(contentsOf: ResidualClassifier.shippedURL(name))
    let matrix = try ConfusionMatrix(of: SmallDigits.images(tests: 1000), by: classifier)
    #expect(matrix.accuracy >= 0.97, "\(matrix.accuracy)")
  }

  @Test("they can be read, and tell their test accuracy", arguments: ResidualClassifier.shippedNames)
  func reading(name: String) throws {
    let classifier = try ResidualClassifier(contentsOf: ResidualClassifier.shippedURL(name))
    #expect(classifier.training?.testAccuracy ?? 0 > 0.8)
    let shape = [1, classifier.configuration.channels, 4, 4]
    #expect(try classifier.logits(of: .zeros(shape)).shape == [1, classifier.classes])
  }

  @Test("each image shape has the guide, not the judge, of its own") func shapes() throws {
    for (shape, name) in [([1, 32, 32], "digits"), ([3, 32, 32], "cifar10"), ([1, 64, 64], "smiles")]
    where ResidualClassifier.shippedNames.contains(name) {
      #expect(ResidualClassifier.shippedName(forImagesOf: shape) == name)
      let configuration = try ResidualClassifier(contentsOf: ResidualClassifier.shippedURL(name)).configuration
      #expect([configuration.channels, configuration.side, configuration.side] == shape)
    }
    #expect(ResidualClassifier.shippedName(forImagesOf: [3, 64, 64]) == nil)
  }
}
