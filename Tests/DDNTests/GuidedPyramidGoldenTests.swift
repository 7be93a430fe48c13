import DDNGuidance
import GoldenSupport
import Testing
import Torch

@testable import DDN

@Suite("Guided generation, compared to the original")
struct GuidedPyramidGoldenTests {
  @Test("a guide of all pixels finds the original's codes and image, those of encoding") func pixels() throws {
    let golden = try GoldenPyramid("p8_none")
    let file = try Golden.safetensors("Z/guided_l2_p8_none.safetensors")
    let target = try file.tensor("in.target").reshaped([1, 3, 8, 8])
    let guide = MeasurementGuide(PixelMeasurement(target))
    let outputs = try golden.network.outputs(samples: 1, chooser: BestChooser(guide))
    let codes = try outputs.flatMap { try $0.codes.array(Int.self) }
    #expect(try codes == file.integers("guided.idx_ks"))
    #expect(try codes == file.integers("encode.idx_ks"))
    let image = try #require(outputs.last).imagesPerSample()
    #expect(try file.deviation(of: image, from: "guided.predict") <= Tolerance.pyramid)
  }
}
