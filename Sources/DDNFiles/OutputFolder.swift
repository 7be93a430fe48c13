import Foundation
import Synchronization

/// The output folder of a command's job, with a record of the job and its files.
///
/// A folder that is not empty is refused, unless its record names the same job, which then continues, or the caller
/// overwrites. Files that are not in the record are never removed.
public struct OutputFolder {
  /// Identifies a job: a command and everything that its outputs depend on.
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
    /// Relative to the folder.
    var files: [String]
    /// Files of an earlier job that are still to be removed.
    var stale: [String]
  }

  /// Hidden, so that a folder of images remains a data set.
  static let recordName = ".ddn-output.json"
  /// Files that file browsers create.
  private static let ignored: Set = [recordName, ".DS_Store", "Thumbs.db", "desktop.ini"]

  public let url: URL
  /// Whether the same job was started here before; its existing files are complete and valid.
  public let isContinued: Bool

  /// Prepares a folder for a job.
  ///
  /// - Parameters:
  ///   - url: of the folder.
  ///   - job: what the outputs depend on.
  ///   - files: every file that the job may write, relative to the folder.
  ///   - overwrites: whether to replace existing outputs; those of an earlier job are removed.
  /// - Throws: `FileError` (`failed`) when the folder holds other files or cannot be written.
  public init(_ url: URL, for job: Job, files: [String], overwrites: Bool) throws(FileError) {
    self.url = url
    let recordURL = url.appendingPathComponent(Self.recordName)
    let record = try? JSONDecoder().decode(Record.self, from: InputFile.map(recordURL))
    isContinued = record?.job == job
    let present = try Folder.names(in: url).filter { !Self.ignored.contains($0) && !$0.hasSuffix(".part") }
    if !present.isEmpty, !isContinued, !overwrites {
      let content = record.map { "the outputs of another ddn \($0.job.command)" } ?? "files, such as \(present[0])"
      throw FileError(
        .failed, path: url.path, problem: "this folder holds \(content)",
        remedy: "choose another with --outdir, or give --overwrite")
    }
    let exists = FileManager.default.fileExists(atPath: url.path)
    try Folder.create(url)
    if !exists { Self.created.withLock { $0.append(url) } }
    let folders = Set(files.map { url.appendingPathComponent($0).deletingLastPathComponent().path }).union([url.path])
    for folder in folders { try Folder.removeLeftovers(in: URL(fileURLWithPath: folder)) }
    // The record lists the files of both jobs first, so that a process that is killed meanwhile leaves no unrecorded
    // files. Existing files with this job's names are removed, too: continued, the job would take them for its own.
    let stale =
      isContinued
      ? record!.stale
      : present.isEmpty ? [] : Set((record?.files ?? []) + (record?.stale ?? []) + files).sorted()
    guard stale.isEmpty || overwrites else {
      throw FileError(
        .failed, path: url.path, problem: "this folder holds outputs of an earlier job that are to be removed",
        remedy: "give --overwrite, or choose another folder with --outdir")
    }
    try Self.write(Record(job: job, files: files, stale: stale), to: recordURL)
    guard !stale.isEmpty else { return }
    for name in stale where Self.isInside(name) { try Self.removeFile(name, in: url) }
    try Self.write(Record(job: job, files: files, stale: []), to: recordURL)
  }

  /// Those that this process has created.
  private static let created = Mutex<[URL]>([])

  /// Removes the folders that this process has created and written nothing to, when its job fails.
  public static func removeUnused() {
    for url in created.withLock({ $0 }) where (try? Folder.names(in: url)) == [recordName] {
      unlink(url.appendingPathComponent(recordName).path)
      rmdir(url.path)
    }
  }

  /// The URL of an output.
  public func file(_ name: String) -> URL { url.appendingPathComponent(name) }

  private static func write(_ record: Record, to url: URL) throws(FileError) {
    guard let data = try? JSONEncoder.oneLine.encode(record) else { preconditionFailure("strings can be encoded") }
    try AtomicFile.write(data, to: url)
  }

  /// Records are untrusted: their names must not lead outside the folder.
  private static func isInside(_ name: String) -> Bool {
    !name.hasPrefix("/") && !name.split(separator: "/").contains("..")
  }

  /// Removes a file and the parent folders that become empty; nothing behind a link to another folder.
  private static func removeFile(_ name: String, in folder: URL) throws(FileError) {
    var parent = folder
    for part in name.split(separator: "/").dropLast() {
      parent.appendPathComponent(String(part))
      guard FileStatus(ofLink: parent)?.kind != .link else { return }
    }
    let file = folder.appendingPathComponent(name)
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder), isFolder.boolValue { return }
    guard unlink(file.path) == 0 || errno == ENOENT || errno == ENOTDIR else {
      throw .system("cannot be removed", path: file.path)
    }
    var parents = name.split(separator: "/").dropLast()
    while !parents.isEmpty, rmdir(folder.appendingPathComponent(parents.joined(separator: "/")).path) == 0 {
      parents = parents.dropLast()
    }
  }
}
