import DDN
import DDNClassifiers
import DDNEvaluation
import DDNFiles
import DDNTraining
import Foundation
import Testing
import Torch

@testable import DDNAblation
@testable import DDNData

@Suite("Ablation studies") struct AblationStudyTests {
  /// 9,000 digits and 1,000 others.
  static let digits = Result { try DigitDataset.shipped().split(last: 1000) }

  static func images(count: Int = 40) throws -> AblationImages {
    let (head, tail) = try digits.get()
    return try AblationImages(training: ImageDataset(head), test: ImageDataset(tail), count: count, device: .cpu)
  }

  static func plan(_ rows: String = "split", seeds: [UInt64] = [0]) throws -> AblationPlan {
    let base = TrainingOptions(
      network: .recurrent(.init(baseWidth: 2, nodes: 6, repeats: 2)), images: 320, batch: 32, chainDropout: 0.2,
      tickImages: 64, saveTicks: 1)
    return try AblationPlan(base: base, changes: AblationPlan.changes(parsing: rows), seeds: seeds)
  }

  static func study(_ plan: AblationPlan, in folder: URL) throws -> Ablation {
    let images = try images()
    let folder = AblationFolder(folder)
    _ = try folder.open(for: AblationSetting(options: plan.base, count: 40, images: images, detector: nil))
    return Ablation(
      plan, in: folder, data: try TrainingImages(digits.get().head, device: .cpu),
      meter: try AblationMeter(images: images, detector: nil, folder: folder.url), device: .cpu)
  }

  private static func inFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "ablation-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
  }

  @Test("stopped again and again it ends with the results of an undisturbed study, and repeats no finished run")
  func stops() throws {
    try Self.inFolder { folder in
      let plan = try Self.plan("split,nodes=2", seeds: [0, 1])
      let whole = try Self.study(plan, in: folder.appending(path: "whole")).run()
      #expect(whole.map(\.folder) == plan.runs.map(\.name))
      let stopped = folder.appending(path: "stopped")
      var begun: [String] = []
      var sessions = 0
      var results: [AblationResult] = []
      while results.isEmpty {
        sessions += 1
        try #require(sessions < 100)
        var calls = 0
        do {
          results = try Self.study(plan, in: stopped).run {
            calls += 1
            return calls > 400
          } report: {
            if case .begins(let run, let images) = $0, images == 0 { begun.append(run.name) }
          }
        } catch is JobStopped {}
      }
      #expect(sessions > 2, "a study must be stopped to show anything")
      #expect(results.map(\.withoutTimes) == whole.map(\.withoutTimes))
      #expect(Set(begun) == Set(plan.runs.map(\.name)))
      let idle = try Self.study(plan, in: stopped)
      #expect(idle.openRuns.isEmpty)
      _ = try idle.run(report: { event in Issue.record("nothing is left to do: \(event)") })
    }
  }

  @Test("rows differ: without Split-and-Prune there are no splits, and K=2 has two nodes and shorter codes")
  func rows() throws {
    try Self.inFolder { folder in
      let results = try Self.study(Self.plan("split,nodes=2"), in: folder).run()
      #expect(results.map(\.row) == ["default", "no-split", "k2"])
      #expect(results[0].splits > 0 && results[1].splits == 0)
      #expect(results[2].bits == 2 && results[2].perplexityOfLayers.allSatisfy { $0 <= 2.001 })
      #expect(Set(results.map { $0.measurement.test!.errorOfLevels.last! }).count == 3)
    }
  }

  @Test("a folder refuses another setting and other files, and names what differs") func settings() throws {
    try Self.inFolder { folder in
      let plan = try Self.plan()
      let images = try Self.images()
      func setting(
        _ options: TrainingOptions, count: Int = 40, images: AblationImages = images, detector: String? = nil
      ) -> AblationSetting {
        AblationSetting(options: options, count: count, images: images, detector: detector)
      }
      func problem(_ setting: AblationSetting, in url: URL = folder) -> String? {
        do { _ = try AblationFolder(url).open(for: setting) } catch { return "\(error)" }
        return nil
      }
      #expect(problem(setting(plan.base)) == nil)
      var moved = plan.base
      (moved.dataFolder, moved.seed) = ("/elsewhere", 9)
      #expect(problem(setting(moved)) == nil)
      var other = plan.base
      other.learningRate = 0.5
      #expect(problem(setting(other))?.contains("learningRate is 0.5, and was 0.001") == true)
      other = plan.base
      other.network = .recurrent(.init(baseWidth: 2, nodes: 7, repeats: 2))
      #expect(problem(setting(other))?.contains("network.recurrent.nodes is 7, and was 6") == true)
      #expect(problem(setting(plan.base, count: 50))?.contains("count is 50, and was 40") == true)
      #expect(
        problem(setting(plan.base, detector: "network 1"))?.contains("detector is network 1, and was none") == true)
      let fewer = try Self.images(count: 30)
      #expect(problem(setting(plan.base, images: fewer))?.contains("30 images, and had 40") == true)
      let strange = folder.appending(path: "strange")
      try Folder.create(strange)
      try Data().write(to: strange.appending(path: "letter.txt"))
      #expect(problem(setting(plan.base), in: strange)?.contains("such as letter.txt") == true)
    }
  }

  @Test("distances are those of ddn evaluate's parts, and are kept with the images' statistics") func distances() throws
  {
    try Self.inFolder { folder in
      try Folder.create(folder)
      let images = try Self.images(count: 60)
      let detector = try openDetector("digits")
      let network = try RecurrentNetwork(
        .init(baseWidth: 2, nodes: 4, repeats: 2), generator: Generator(seed: 3))
      network.setMode(.evaluation)
      let found = try AblationMeter(images: images, detector: detector, folder: folder)(network)
      let expected = try SampleFrechetDistance(to: images.training.images, by: detector, samples: 60)(network)
      let distance = try #require(found.sampleDistance)
      #expect(abs(distance - expected) < 1e-6 * expected && distance > 1)
      let job = EncodingJob(images.test!.images, by: network)
      let batch = try job(0..<60)
      let errors = batch.reconstruction.errors.map { $0.reduce(0, +) / 60 }
      #expect(zip(found.test!.errorOfLevels, errors).allSatisfy { abs($0 - $1) < 1e-9 })
      let features = try [batch.targets, batch.reconstruction.levels.last!].map {
        try FrechetDistance.Statistics(detector.features(of: $0.eightBit()))
      }
      let reconstructed = try FrechetDistance(features[1], features[0]).value
      #expect(abs(found.test!.frechetDistance! - reconstructed) < 1e-4 * reconstructed)
      let again = try AblationMeter(
        images: images, detector: detector, folder: folder,
        progress: { _, _ in Issue.record("the statistics are in files") })
      #expect(try again(network) == found)
      #expect(throws: FileError.self) {
        try AblationMeter(images: images, detector: openDetector("digits-judge"), folder: folder)
      }
    }
  }

  @Test("MNIST's test split is found beside the training split, and a format without splits has none")
  func splits() throws {
    let (head, tail) = try Self.digits.get()
    let (training, test) = (ImageDataset(head), ImageDataset(tail))
    let source = ImageArray(tail)
    #expect(try AblationImages.testSplit(beside: training) { _ in source }?.count == 1000)
    #expect(try AblationImages.testSplit(beside: test) { _ in source } == nil)
    #expect(
      try AblationImages.testSplit(beside: training) { _ in
        throw FileError(.missing, path: "t10k", problem: "no such file", remedy: "download it")
      } == nil)
  }

  @Test("a run that was trained on is not measured") func longer() throws {
    try Self.inFolder { folder in
      let plan = try Self.plan()
      var long = plan.base
      long.images = 1000
      let study = try Self.study(plan, in: folder)
      let run = study.folder.run(plan.runs[0])
      try Folder.create(run.url)
      do {  // Its lock ends with the run.
        let training = try TrainingRun(
          long, data: TrainingImages(Self.digits.get().head, device: .cpu), folder: run, device: .cpu)
        _ = try training.resume()
        try training.run()
      }
      let error = #expect(throws: AblationError.self) { try study.run() }
      #expect(error?.description.contains("default-seed0: has seen 1024 images, more than the study's 320") == true)
    }
  }
}
