import DDNFiles
import Foundation

/// An event file of TensorBoard, which only grows; a killed process leaves at most one torn record at its end, which readers
/// ignore.
package struct EventFile: Sendable {
  package let url: URL

  private static let prefix = "events.out.tfevents."

  /// The next file of a folder. TensorBoard reads a folder's files in the order of their names, so they are numbered:
  /// clocks may go back.
  ///
  /// - Parameters:
  ///   - folder: of one run.
  ///   - step: readers drop what older files have of this and later steps.
  /// - Throws: `FileError` when it cannot be written; there is then no new file.
  package init(in folder: URL, restartingAt step: Int) throws(FileError) {
    let numbers = try Folder.names(in: folder).filter { $0.hasPrefix(Self.prefix) }
      .compactMap { Int($0.dropFirst(Self.prefix.count).prefix { $0.isNumber }) }
    let next = (numbers.filter { $0 < Int.max }.max() ?? -1) + 1
    url = folder.appendingPathComponent(Self.prefix + zeroPadded(next, digits: 10) + ".ddn")
    try AtomicFile.write(Self.beginning(restartingAt: step, time: Date()), to: url)
  }

  static func beginning(restartingAt step: Int, time: Date) -> Data {
    var restart = ProtoSessionLog()
    restart.status = .start
    return record(.fileVersion("brain.Event:2"), step: 0, time: time)
      + record(.sessionLog(restart), step: step, time: time)
  }

  /// Appends one event, all or nothing.
  ///
  /// - Parameters:
  ///   - values: with different tags.
  ///   - step: of the values, such as the images seen so far.
  /// - Throws: `FileError` (`failed`) with the system's reason.
  package func append(_ values: [SummaryValue], step: Int) throws(FileError) {
    try GrowingFile.append(Self.event(values, step: step, time: Date()), to: url)
  }

  static func event(_ values: [SummaryValue], step: Int, time: Date) -> Data {
    var summary = ProtoSummary()
    summary.value = values.map(\.message)
    return record(.summary(summary), step: step, time: time)
  }

  private static func record(_ what: ProtoEvent.OneOf_What, step: Int, time: Date) -> Data {
    var event = ProtoEvent()
    event.wallTime = time.timeIntervalSince1970
    event.step = Int64(step)
    event.what = what
    do { return Record.frame(try event.serializedData()) } catch {
      preconditionFailure("an event without required fields is always serialized: \(error)")
    }
  }
}
