import DDN
import DDNFiles
import Foundation
import RecordSupport
import Testing

@testable import DDNTraining
@testable import TensorBoard

@Suite("TensorBoard events of a run") struct TrainingEventsTests {
  private static func events(in folder: RunFolder) throws -> [[ProtoEvent]] {
    try Folder.names(in: folder.url).filter { $0.hasPrefix("events.out.tfevents.") }.map { name in
      try RecordFile(contentsOf: folder.url.appending(path: name)).payloads.map { try ProtoEvent(serializedBytes: $0) }
    }
  }

  @Test("scalars are those of the statistics, node use is counted since the last save") func values() throws {
    let scratch = try Scratch()
    let run = try SmallTraining.run(SmallTraining.options(images: 256), in: scratch.url)
    try run.run(report: { event in
      guard case .tick = event, run.keepsPictures else { return }
      try run.addPicture("samples", file: Data([1, 2]), width: 3, height: 4, channels: 1)
    })
    let events = try Self.events(in: run.folder)
    #expect(events.count == 1 && events[0][1].step == 1)
    let values = Dictionary(grouping: events[0].dropFirst(2), by: \.step).mapValues { $0.flatMap(\.summary.value) }
    let ticks = try run.folder.readStatistics()
    #expect(values.keys.sorted() == ticks.map { Int64($0.images) })
    for tick in ticks {
      let ofTick = try #require(values[Int64(tick.images)])
      func scalar(_ tag: String) -> Float? { ofTick.first { $0.tag == tag }?.simpleValue }
      #expect(scalar("loss/mean") == Float(tick.loss) && scalar("loss/level_2") == Float(tick.lossOfLevels[1]))
      #expect(scalar("training/splits") == Float(tick.splits) && scalar("training/skipped_steps") == 0)
      #expect(scalar("perplexity/layer_1") == Float(tick.perplexityOfLayers[0]))
      let isSave = tick.images % 128 == 0
      let histograms = ofTick.filter { $0.tag.hasPrefix("node_use/level_") }
      #expect(histograms.count == (isSave ? 2 : 0) && ofTick.contains { $0.tag == "pictures/samples" } == isSave)
      // The shares of the 4 nodes in 128 images, in units of 32 images.
      for histogram in histograms {
        #expect(abs(histogram.histo.sum - 4) < 1e-9 && histogram.histo.max * 32 == (histogram.histo.max * 32).rounded())
      }
    }
  }

  @Test("node use is per level, though levels share a layer") func nodeUse() throws {
    let trainer = try SmallTraining.trainer(SmallTraining.options(rule: .none))
    for _ in 0..<3 { try trainer.step() }
    let statistics = try #require(trainer.network.layers.first).layer.statistics
    let use = trainer.takeNodeUse()
    #expect(use.map { $0.reduce(0, +) } == [96, 96])
    #expect(zip(use[0], use[1]).map { Double($0 + $1) } == statistics.counts)
    #expect(trainer.takeNodeUse() == [[0, 0, 0, 0], [0, 0, 0, 0]])
  }

  @Test("a resumed run begins another file, which supersedes what is after its state") func resuming() throws {
    let scratch = try Scratch()
    let options = SmallTraining.options(images: 192)
    let run = try SmallTraining.run(options, in: scratch.url)
    try run.run()
    let copy = try run.folder.copied()
    for state in try Checkpoint.all(in: copy.url).dropFirst() { try Folder.remove(state) }
    try Folder.remove(copy.model)
    let resumed = try TrainingRun(options, data: SmallTraining.data(), folder: copy, device: .cpu)
    #expect(try resumed.resume().images == 128)
    try resumed.run()
    let events = try Self.events(in: copy)
    #expect(events.count == 2 && events[0].dropFirst(2).map(\.step) == [64, 128, 192])
    #expect(events[1][1].sessionLog.status == .start && events[1][1].step == 129)
    #expect(events[1].dropFirst(2).map(\.step) == [192])
  }

  @Test("failed writes are reported and retried, without losing scalars") func fullDisk() throws {
    let scratch = try Scratch()
    let run = try SmallTraining.run(SmallTraining.options(images: 320), in: scratch.url)
    let file = run.folder.url.appending(path: "events.out.tfevents.0000000000.ddn")
    let aside = scratch.url.appending(path: "aside")
    var failures: [FileError] = []
    try run.run(report: { event in
      if case .writeFailed(let error) = event { failures.append(error) }
      if case .tick(let tick) = event, tick.images == 64 {
        try FileManager.default.moveItem(at: file, to: aside)
        try Folder.create(file)
      }
      if case .tick(let tick) = event, tick.images == 192 {
        try Folder.remove(file)
        try FileManager.default.moveItem(at: aside, to: file)
      }
    })
    #expect(failures.map(\.path) == [file.path, file.path])
    #expect(try Self.events(in: run.folder)[0].dropFirst(2).map(\.step) == [64, 128, 192, 256, 320])
    #expect(try run.folder.readStatistics().map(\.images) == [64, 128, 192, 256, 320])
  }

  @Test("without TensorBoard there is no event file") func none() throws {
    let scratch = try Scratch()
    var options = SmallTraining.options(images: 64)
    options.tensorboard = false
    let run = try SmallTraining.run(options, in: scratch.url)
    try run.run(report: { _ in #expect(!run.keepsPictures) })
    #expect(try Self.events(in: run.folder).isEmpty)
  }
}
