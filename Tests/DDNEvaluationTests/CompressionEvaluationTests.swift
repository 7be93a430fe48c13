import DDN
import DDNData
import DDNEvaluation
import DDNModels
import Foundation
import Images
import Testing
import Torch

@Suite("Rate and distortion") struct CompressionEvaluationTests {
  /// 40 digits to test on and 200 to fit to.
  private static func evaluation() throws -> CompressionEvaluation {
    let model = try Model(contentsOf: Model.shippedURL("mnist-k8-l3"))
    let digits = try DigitDataset.shipped().split(last: 200)
    var evaluation = CompressionEvaluation(
      of: model.network, test: try TrainingImages(digits.tail, device: .cpu), count: 40,
      training: try TrainingImages(digits.head, device: .cpu))
    (evaluation.maxTrainingCount, evaluation.pictureCount, evaluation.exampleCount) = (200, 6, 3)
    evaluation.codecs = [.jpeg]
    return evaluation
  }

  @Test("a report has every level, baselines of the same bits, picture files and file sizes") func report() throws {
    var evaluation = try Self.evaluation()
    evaluation.fileBytes = { codes, _ in 20 + 2 * codes.count }
    var work: [String] = []
    let (report, examples) = try evaluation.run(
      progress: { name, share in
        #expect((0...1).contains(share))
        if work.last != name { work.append(name) }
      })
    #expect(work == ["PCA code", "residual k-means", "test images", "JPEG"])
    let model = report.rows(of: .model)
    #expect(model.map(\.codeBits) == [3, 6, 9] && model.map(\.setting).last == "level 3")
    #expect(model.allSatisfy { $0.images == 40 })
    // Later levels are nearer.
    #expect(model[2].psnr! > model[0].psnr! && model[2].meanSquaredError < model[0].meanSquaredError)
    #expect(model[2].fileBytes == 22 && model[0].fileBytes == nil && report.dataSetFileBytes == 2.5)
    for method in [CompressionReport.Method.pca, .kMeans] {
      #expect(report.rows(of: method).map(\.codeBits) == [3, 6, 9], "\(method)")
      #expect(report.rows(of: method).last!.psnr! > 8)
    }
    let jpeg = report.rows(of: .jpeg)
    #expect(jpeg.count > 1 && jpeg.allSatisfy { $0.images == 6 && $0.codeBits < 8 * $0.fileBytes! })
    #expect(report.comparable.first == jpeg.first)
    #expect(examples.map(\.name) == ["target", "DDN", "PCA code", "residual k-means", "JPEG"])
    #expect(examples.allSatisfy { $0.pictures.count == 3 } && examples[1].rate == "9 bits")
    let text = CompressionTable(report).text
    #expect(text.contains("| DDN | 40 | 9 | 22.0 |") && text.contains("| 3 | 9.0 |"))
    #expect(text.contains("All 40 codes in one file: 2.50 bytes each."))
    #expect(try JSONDecoder().decode(CompressionReport.self, from: JSONEncoder().encode(report)).rows == report.rows)
  }

  @Test("quality is that of written pixels, and equals the reconstruction report's to rounding") func quality() throws {
    var evaluation = try Self.evaluation()
    (evaluation.training, evaluation.codecs) = (nil, [])
    let (report, _) = try evaluation.run()
    #expect(Set(report.rows.map(\.method)) == [.model] && report.trainingCount == 0 && report.gaussianBound == nil)
    let model = try Model(contentsOf: Model.shippedURL("mnist-k8-l3"))
    let test = try TrainingImages(DigitDataset.shipped().split(last: 200).tail, device: .cpu)
    let targets = try test.images(in: 0..<40).images
    let images = try Reconstruction(of: targets, by: model.network).levels.last!.written()
    // Written and read again, nothing changes.
    #expect(try images.array(Float.self) == images.written().array())
    let psnrs = try ImageQuality.compare(images, to: targets).map(\.psnr)
    #expect(abs(report.rows[2].psnr! - psnrs.reduce(0, +) / 40) < 1e-6)
  }

  @Test("it stops when told") func stopping() throws {
    #expect(throws: JobStopped.self) { try Self.evaluation().run(shouldContinue: { false }) }
  }

  @Test("fewer training images than nodes leave out k-means, with a note") func fewImages() throws {
    var evaluation = try Self.evaluation()
    (evaluation.maxTrainingCount, evaluation.codecs) = (5, [])
    let (report, examples) = try evaluation.run()
    #expect(report.rows(of: .kMeans).isEmpty && report.notes.contains { $0.hasPrefix("no residual k-means: 5 ") })
    #expect(examples.map(\.name) == ["target", "DDN", "PCA code"])
  }
}
