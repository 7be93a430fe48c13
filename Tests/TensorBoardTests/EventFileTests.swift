import Archives
import DDNFiles
import Foundation
import GoldenSupport
import RecordSupport
import Testing

@testable import TensorBoard

@Suite("TensorBoard's event files") struct EventFileTests {
  @Test("CRC-32C is that of RFC 3720 and iSCSI's check value")
  func checksum() {
    #expect(Checksum.crc32c(Data("123456789".utf8)) == 0xe306_9283)
    #expect(Checksum.crc32c(Data(count: 32)) == 0x8a91_36aa)
    #expect(Checksum.crc32c(Data(repeating: 0xff, count: 32)) == 0x62a8_ab43)
    #expect(Checksum.crc32c(Data(0..<32)) == 0x46dd_794e)
    #expect(Checksum.crc32c(Data()) == 0)
  }

  @Test("bytes are those of TensorBoard's own writer") func golden() throws {
    let expected = try Data(contentsOf: Golden.url("tensorboard/events.out.tfevents.golden"))
    let picture = PNGPicture(
      file: Data(UInt8(0)...255), width: 4, height: 3, channels: 1)
    let values = [
      SummaryValue("loss/mean", .scalar(0.125)), SummaryValue("pictures/samples", .picture(picture)),
      SummaryValue("node_use/level_1", .histogram(Histogram([0, 0.5, 1, 2.5]))),
    ]
    let written =
      EventFile.beginning(restartingAt: 20_001, time: Date(timeIntervalSince1970: 1.5))
      + EventFile.event(values, step: 50_000_000_000, time: Date(timeIntervalSince1970: 2.25))
    #expect(written == expected)
  }

  @Test("files are numbered, and read back with their steps") func files() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "ddn-events-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try Folder.create(folder)
    for name in ["events.out.tfevents.0000000004.other", "events.out.tfevents.9223372036854775807", "other"] {
      try Data().write(to: folder.appending(path: name))
    }
    for (number, step) in [(5, 1), (6, 3001)] {
      let before = Date()
      let file = try EventFile(in: folder, restartingAt: step)
      #expect(file.url.lastPathComponent == "events.out.tfevents.000000000\(number).ddn")
      try file.append([SummaryValue("a", .scalar(0.5)), SummaryValue("b/c", .scalar(-2))], step: 40_000_000)
      let records = try RecordFile(contentsOf: file.url)
      let events = try records.payloads.map { try ProtoEvent(serializedBytes: $0) }
      #expect(records.tornBytes == 0 && events.count == 3)
      #expect(events[0].fileVersion == "brain.Event:2")
      #expect(events[1].sessionLog.status == .start && events[1].step == step)
      #expect(events[2].step == 40_000_000 && events[2].summary.value.map(\.tag) == ["a", "b/c"])
      #expect(events[2].summary.value.map(\.simpleValue) == [0.5, -2])
      #expect(events.allSatisfy { (before.timeIntervalSince1970...Date().timeIntervalSince1970).contains($0.wallTime) })
    }
  }

  @Test("a file that cannot be created leaves nothing, and one that cannot grow keeps its events") func failures()
    throws
  {
    let folder = FileManager.default.temporaryDirectory.appending(path: "ddn-events-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    #expect(throws: FileError.self) { try EventFile(in: folder, restartingAt: 1) }
    #expect(!FileManager.default.fileExists(atPath: folder.path))
    try Folder.create(folder)
    let file = try EventFile(in: folder, restartingAt: 1)
    try FileManager.default.removeItem(at: file.url)
    try Folder.create(file.url)
    let error = #expect(throws: FileError.self) { try file.append([SummaryValue("a", .scalar(1))], step: 1) }
    #expect(error?.path == file.url.path)
  }

  @Test("histograms count every value once, unused nodes in the first bucket, and equal values too")
  func histograms() {
    func message(_ values: [Double]) -> ProtoHistogram {
      SummaryValue("", .histogram(Histogram(values))).message.histo
    }
    let mixed = message([0, 0, 0.1, 3])
    #expect(mixed.bucket[0] == 2 && mixed.bucket[1] == 1 && mixed.bucket[29] == 1)
    #expect(mixed.bucket.reduce(0, +) == 4 && mixed.num == 4 && mixed.bucketLimit[29] == 3)
    #expect(message([0, 0]).bucket[0] == 2)
    #expect(message([1, 1, 1]).bucket[29] == 3)
  }
}
