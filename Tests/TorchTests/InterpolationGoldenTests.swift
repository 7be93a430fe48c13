import Foundation
import GoldenSupport
import Testing
import Torch

/// Both ways to resize images against the original's: `A/interpolate`.
@Suite("Interpolation repeats the original's")
struct InterpolationGoldenTests {
  struct Case: Decodable, CustomTestStringConvertible {
    let number: Int
    let mode: String
    let source, size: [Int]

    enum CodingKeys: String, CodingKey {
      case mode
      case number = "i"
      case source = "src"
      case size = "dst"
    }

    var testDescription: String { "\(mode) \(source) to \(size)" }
  }

  static let cases: [Case] = {
    struct List: Decodable { let cases: [Case] }
    let data = (try? Data(contentsOf: Golden.url("A/interpolate.json"))) ?? Data()
    return (try? JSONDecoder().decode(List.self, from: data))?.cases ?? []
  }()

  @Test("all 18 golden cases are there, both ways")
  func complete() {
    #expect(Self.cases.count == 18)
    #expect(Set(Self.cases.map(\.mode)) == ["area", "bilinear"])
  }

  @Test("images and gradients are the same", arguments: cases)
  func resizing(_ golden: Case) throws {
    let file = try Golden.safetensors("A/interpolate.safetensors")
    let input = try file.tensor("\(golden.number).in")
    try input.setRequiresGradient(true)
    let (height, width) = (golden.size[0], golden.size[1])
    let output =
      try golden.mode == "area"
      ? input.resizedArea(height: height, width: width) : input.resizedBilinear(height: height, width: width)
    #expect(try file.deviation(of: output, from: "\(golden.number).out") <= 1e-6)
    try output.backward(file.tensor("\(golden.number).grad_out"))
    let gradient = try #require(try input.gradient())
    #expect(try file.deviation(of: gradient, from: "\(golden.number).grad_in") <= 1e-6)
  }
}
