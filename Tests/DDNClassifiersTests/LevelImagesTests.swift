import DDN
import DDNClassifiers
import DDNData
import DDNModels
import Testing
import Torch

@Suite("Reconstructions as training images")
struct LevelImagesTests {
  @Test(
    "the images come first; then levels of the first ones, with their classes",
    .enabled(if: Model.shippedNames.contains("mnist-k8-l3")))
  func levels() throws {
    let network = try Model(contentsOf: Model.shippedURL("mnist-k8-l3")).network
    let images = try SmallDigits.images(training: 8)
    let all = try LevelImages.adding(to: images, by: network, seed: 1, count: 4)
    #expect(all.count == 8 + 4 * LevelImages.perImage && all.imageShape == images.imageShape)
    #expect(all.labels == images.labels! + (0..<LevelImages.perImage).flatMap { _ in images.labels![..<4] })
    let size = 32 * 32
    let pixels = all.cachedPixels!
    #expect(Array(pixels[..<(8 * size)]) == images.cachedPixels!)

    let targets = try TrainingImages(images, device: .cpu).batch(Array(0..<4)).images
    let levels: [[Float]] = try Reconstruction(of: targets, by: network).levels.map { try $0.array() }
    var chosen = Set<Int>()
    for added in 0..<4 * LevelImages.perImage {
      let image = pixels[(8 + added) * size..<(9 + added) * size].map { Float($0) }
      let level = levels.firstIndex { level in
        let expected = level[added % 4 * size..<(added % 4 + 1) * size]
        return zip(image, expected).allSatisfy { abs($0 - min(max($1 * 127.5 + 128, 0), 255)) < 1.01 }
      }
      chosen.insert(try #require(level))
    }
    #expect(chosen.count == levels.count)
  }
}
