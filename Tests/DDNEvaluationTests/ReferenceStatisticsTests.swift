import Archives
import ArchivesSupport
import DDNEvaluation
import DDNFiles
import DDNVision
import Foundation
import GoldenSupport
import Testing
import Torch

@testable import DDNData

@Suite("Files of statistics") struct ReferenceStatisticsTests {
  private struct Golden4: Decodable {
    let mu: [Double]
    let sigma: [[Double]]
  }
  private static let inception = DetectorIdentity(name: "Inception v3", checksum: "1", isInception: true)
  private static let digits = DetectorIdentity(name: "classifier digits", checksum: "2")

  @Test("numpy's files of EDM and ADM, and EDM2's pickle, are read", arguments: ["edm.npz", "adm.npz", "edm2.pkl"])
  func others(name: String) throws {
    let golden = try JSONDecoder().decode(
      Golden4.self, from: Data(contentsOf: Golden.url("inception/statistics.json")))
    #expect(try ReferenceStatistics.isStatistics(Golden.url("inception/\(name)")))
    let found = try ReferenceStatistics(contentsOf: Golden.url("inception/\(name)"))
    #expect(try found.statistics.mean.array() == golden.mu)
    #expect(try found.statistics.covariance.array() == golden.sigma.flatMap { $0 })
    #expect(found.statistics.count == (name == "edm2.pkl" ? 20 : nil) && found.detector == nil)
    try found.check(Self.inception, featureCount: 4)
    let error = try #require(throws: FileError.self) { try found.check(Self.digits, featureCount: 4) }
    #expect(error.description.contains("does not name its detector"), "\(error)")
  }

  private static func write(_ detector: DetectorIdentity, to url: URL) throws -> ReferenceStatistics {
    let statistics = try RowSource.random("rows", 9, 4).features().statistics()
    let reference = ReferenceStatistics(statistics, detector: detector, path: url.path)
    try reference.write(to: url)
    return reference
  }

  @Test("what is written is read back bit for bit, and another detector is refused") func roundTrip() throws {
    let scratch = try ScratchFolder()
    let url = scratch.file("a.npz")
    let written = try Self.write(Self.digits, to: url)
    let found = try ReferenceStatistics(contentsOf: url)
    #expect(try found.statistics.mean.bytes() == written.statistics.mean.bytes())
    #expect(try found.statistics.covariance.bytes() == written.statistics.covariance.bytes())
    #expect(found.statistics.count == 9 && found.detector == "network 2")
    try found.check(Self.digits, featureCount: 4)
    for (identity, count, problem) in [
      (Self.inception, 4, "of another detector"),
      (DetectorIdentity(name: "x", checksum: "3"), 4, "of another detector"),
      (Self.digits, 5, "4 features, and the detector has 5"),
    ] {
      let error = try #require(throws: FileError.self) { try found.check(identity, featureCount: count) }
      #expect(error.description.contains(problem), "\(error)")
    }
  }

  @Test("every truncation and every damaged byte is refused or harmless") func damage() throws {
    let scratch = try ScratchFolder()
    let url = scratch.file("a.npz")
    let written = try Self.write(Self.inception, to: url)
    let whole = try Data(contentsOf: url)
    for place in stride(from: 0, to: whole.count, by: 5) {
      try whole.prefix(place).write(to: url)
      #expect(throws: FileError.self) { try ReferenceStatistics(contentsOf: url) }
      var bytes = whole
      bytes[place] ^= 0x21
      try bytes.write(to: url)
      // Dates and permissions may change unnoticed, numbers may not.
      if let found = try? ReferenceStatistics(contentsOf: url) {
        #expect(try found.statistics.covariance.bytes() == written.statistics.covariance.bytes())
      }
    }
  }

  @Test("arrays that are no mean and covariance are named") func wrongArrays() throws {
    let mu = NumPyFile.data([1, 2], shape: [2])
    let sigma = NumPyFile.data([1, 0, 0, 1], shape: [2, 2])
    let cases: [(problem: String, entries: [(String, Data)])] = [
      ("no array named sigma", [("mu", mu)]), ("no array named mu", [("sigma", sigma)]),
      ("2 means and a covariance of [1, 4]", [("mu", mu), ("sigma", NumPyFile.data([1, 0, 0, 1], shape: [1, 4]))]),
      ("not one size", [("mu", sigma), ("sigma", sigma)]),
      ("not finite", [("mu", NumPyFile.data([1, .nan], shape: [2])), ("sigma", sigma)]),
      ("not finite", [("mu", mu), ("sigma", NumPyFile.data([1, 0, 0, .infinity], shape: [2, 2]))]),
      ("not symmetric", [("mu", mu), ("sigma", NumPyFile.data([1, 0.5, 0, 1], shape: [2, 2]))]),
      ("negative variance", [("mu", mu), ("sigma", NumPyFile.data([1, 0, 0, -1], shape: [2, 2]))]),
      ("not float32 or float64", [("mu", NumPyFile.data(3)), ("sigma", sigma)]),
      (
        "more than 8192",
        [("mu", NumPyFile.data([Double](repeating: 0, count: 9000), shape: [9000])), ("sigma", sigma)]
      ),
    ]
    for (problem, entries) in cases {
      let scratch = try ScratchFolder()
      try AtomicFile.create(scratch.file("a.npz")) { file in
        var writer = ZipWriter(file)
        for (name, data) in entries { try writer.add("\(name).npy", data) }
        try writer.finish()
      }
      let error = try #require(throws: FileError.self) { try ReferenceStatistics(contentsOf: scratch.file("a.npz")) }
      #expect(error.description.contains(problem) && !error.description.contains("\n"), "\(error)")
    }
  }

  @Test("hostile pickles and other files are refused in one line") func hostile() throws {
    let scratch = try ScratchFolder()
    let system = Data("\u{80}\u{2}cos\nsystem\nX\u{1}\0\0\0a\u{85}R.".unicodeScalars.map { UInt8($0.value) })
    let whole = try Data(contentsOf: Golden.url("inception/edm2.pkl"))
    for (name, bytes) in [
      ("a.pkl", system), ("b.pkl", whole.prefix(300)), ("c.npz", Data("hello".utf8)), ("d.npz", Data()),
    ] {
      try bytes.write(to: scratch.file(name))
      let error = try #require(throws: FileError.self) { try ReferenceStatistics(contentsOf: scratch.file(name)) }
      #expect(error.kind == .invalid && !error.description.contains("\n"), "\(error)")
    }
  }
}
