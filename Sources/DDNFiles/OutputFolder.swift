import Foundation

/// A folder with the outputs of one job of a command, and a record of which.
///
/// One rule for all commands: outputs lie inside the folder; a folder that holds anything is refused unless its record names
/// the same job, which then goes on, or the caller asks to overwrite. Files that no record names are never removed.
public struct OutputFolder {
  /// What makes two jobs the same: a command and everything that its outputs depend on.
  public struct Job: Codable, Equatable, Sendable {
    public let command: String
    public let options: [String: String]

    public init(command: String, options: [String: String] = [:]) {
      self.command = command
      self.options = options
    }
  }

  private struct Record: Codable {
    var job: Job
    /// Outputs, relative to the folder.
    var files: [String]
    /// Outputs of an earlier job that are still to be removed.
    var stale: [String]
  }

  /// Hidden, so that a folder of pictures stays one.
  static let recordName = ".ddn-output.json"
  /// Left by systems in any folder that was looked at.
  private static let ignored: Set = [recordName, ".DS_Store", "Thumbs.db", "desktop.ini"]

  public let url: URL
  /// Whether the same job was begun here before; files that it wrote are whole and what the job would write.
  public let isContinued: Bool

  /// Prepares a folder for a job.
  ///
  /// - Parameters:
  ///   - files: every output that the job may write, relative to the folder.
  ///   - overwrites: whether outputs that are there, of any job, may be replaced; those of an earlier job are removed.
  /// - Throws: `FileError` (`failed`) when the folder holds anything else, or the system refuses.
  public init(_ url: URL, for job: Job, files: [String], overwrites: Bool) throws(FileError) {
    self.url = url
    let recordURL = url.appendingPathComponent(Self.recordName)
    let record = try? JSONDecoder().decode(Record.self, from: InputFile.map(recordURL))
    isContinued = record?.job == job
    let present = try Folder.names(in: url).filter { !Self.ignored.contains($0) && !$0.hasSuffix(".part") }
    if !present.isEmpty, !isContinued, !overwrites {
      let owner = record.map { "the outputs of another ddn \($0.job.command)" } ?? "files, such as \(present[0])"
      throw FileError(
        .failed, path: url.path, problem: "this folder holds \(owner)",
        remedy: "choose another with --outdir, or give --overwrite")
    }
    try Folder.create(url)
    let folders = Set(files.map { url.appendingPathComponent($0).deletingLastPathComponent().path }).union([url.path])
    for folder in folders { try Folder.removeLeftovers(in: URL(fileURLWithPath: folder)) }
    // First the record of both jobs, so that a process that is killed meanwhile leaves nothing without an owner. What is there
    // under this job's names goes, too: continued later, the job would take another's files for its own.
    let stale =
      isContinued
      ? record!.stale
      : present.isEmpty ? [] : Set((record?.files ?? []) + (record?.stale ?? []) + files).sorted()
    try Self.write(Record(job: job, files: files, stale: stale), to: recordURL)
    guard !stale.isEmpty else { return }
    for name in stale where Self.isInside(name) { try Self.removeFile(name, in: url) }
    try Self.write(Record(job: job, files: files, stale: []), to: recordURL)
  }

  /// The place of one output.
  public func file(_ name: String) -> URL { url.appendingPathComponent(name) }

  private static func write(_ record: Record, to url: URL) throws(FileError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(record) else { preconditionFailure("texts can be encoded") }
    try AtomicFile.write(data, to: url)
  }

  /// A record is a file like any other: it must not lead outside.
  private static func isInside(_ name: String) -> Bool {
    !name.hasPrefix("/") && !name.split(separator: "/").contains("..")
  }

  /// Removes a file, and the folders that it leaves empty.
  private static func removeFile(_ name: String, in folder: URL) throws(FileError) {
    let file = folder.appendingPathComponent(name)
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder), isFolder.boolValue { return }
    guard unlink(file.path) == 0 || errno == ENOENT || errno == ENOTDIR else {
      throw .system("cannot be removed", path: file.path)
    }
    var parent = name.split(separator: "/").dropLast()
    while !parent.isEmpty, rmdir(folder.appendingPathComponent(parent.joined(separator: "/")).path) == 0 {
      parent = parent.dropLast()
    }
  }
}
