import DDNGuidance
import Images
import Testing

@Suite("Diversity of samples") struct SampleDiversityTests {
  @Test("it is the mean of the squared differences of all pairs, over targets")
  func pairs() {
    let targets: [[[UInt8]]] = [[[0, 10], [4, 10], [255, 0]], [[7, 7], [7, 7]], [[1, 2]]]
    var diversity = SampleDiversity()
    for samples in targets {
      for sample in samples { diversity.add(Bitmap(width: 2, height: 1, channels: 1, pixels: sample)) }
      diversity.finishTarget()
    }
    // Pairs of the first target: (16 + 0) / 2, (255^2 + 100) / 2, (251^2 + 100) / 2.
    let first = (8.0 + (65_025 + 100) / 2.0 + (63_001 + 100) / 2.0) / 3
    #expect(abs(diversity.mean! - first / 2) < 1e-9)
    #expect(SampleDiversity().mean == nil)
  }
}
