import DDN
import Foundation
import Testing
import Torch

@testable import DDNGuidance

private let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().appending(path: "Examples/guides")

private let canRun: Bool = {
  guard FileManager.default.fileExists(atPath: folder.path) else { return false }
  return (try? ChildProcess(command: "python3 -c 'import numpy'").finish(within: 30)) == .exit(0)
}()

/// Needs the sources' Examples folder, and numpy for the `python3` of the path.
@Suite("Example guides", .enabled(if: canRun, "no numpy"))
struct ExampleGuidesTests {
  /// The best of noise, a dark image, one whose halves mirror each other, and the target.
  private static func best(_ script: String) throws -> Int {
    let generator = try Generator(seed: 2)
    func noise() throws -> Tensor { try Tensor.uniform([1, 3, 8, 8], generator: generator) * 2 - 1 }
    let target = try noise() * 0.5 + 0.4
    let half = try noise().slice(3, 0..<4)
    let mirrored = try Tensor.concatenate(
      [half] + stride(from: 3, through: 0, by: -1).map { try half.slice(3, $0..<$0 + 1) }, dimension: 3)
    let images = try Tensor.stack([noise(), noise() * 0.1 - 0.9, mirrored, target], dimension: 1)
    let setting = GuideKind.Setting(imageShape: [3, 8, 8], device: .cpu)
    let path = folder.appending(path: script).path
    let guide = try GuideKind.program.prepare(GuideArguments("program:python3 '\(path)',timeout=60"), for: setting)
    let batch = GuideBatch(targets: target, targetNumbers: [0], seeds: [1])
    let scores = try guide.guide(for: batch).scores(of: Candidates(images: images)).array(Float.self)
    return try #require(scores.indices.max { scores[$0] < scores[$1] })
  }

  @Test(
    "each prefers what it says", arguments: [("darkest.py", 1), ("symmetry.py", 2), ("color_histogram.py", 3)])
  func prefers(script: String, expected: Int) throws {
    #expect(try Self.best(script) == expected)
  }
}
