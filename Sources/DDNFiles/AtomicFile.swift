import Foundation
import Synchronization

/// Writes files atomically: to a temporary file in the same folder, flushed, then renamed.
///
/// A process that is killed meanwhile leaves the old file, if any, unchanged. Links are followed: the file that they lead
/// to is replaced. Devices and pipes are refused.
public enum AtomicFile {
  /// Files that did not exist when the work for them began: others' files of these names are not replaced.
  private static let claimed = Mutex<Set<String>>([])

  /// - Throws: `FileError` (`failed`) naming the path and the system's reason, such as a full disk.
  public static func write(_ bytes: Data, to url: URL) throws(FileError) {
    try write(to: url) { (file) throws(FileError) in try file.write(bytes) }
  }

  /// Writes in pieces, so that a large file need not be in memory.
  public static func write(to url: URL, _ body: (OutputFile) throws(FileError) -> Void) throws(FileError) {
    do { try create(url) { file in try body(file) } } catch let error as FileError { throw error } catch {
      preconditionFailure("\(error) is not a FileError")
    }
  }

  /// As `write(to:_:)`, with a `body` that throws any error.
  public static func create(_ url: URL, _ body: (OutputFile) throws -> Void) throws {
    let url = try destination(of: url)
    let temporary = temporary(for: url)
    let file = try OutputFile(creating: temporary.path, for: url.path)
    do {
      try body(file)
      try file.flushAndClose()
      try finish(temporary, as: url)
      try Folder.flush(url.deletingLastPathComponent())
    } catch {
      file.close()
      unlink(temporary.path)
      throw error
    }
  }

  /// Writes several files, each atomically; flushing them together takes a fraction of the time.
  ///
  /// The last of duplicate names wins. A process that is killed meanwhile leaves up to 32 temporary files.
  ///
  /// - Throws: `FileError` for the first file that cannot be written; earlier ones may exist, later ones do not.
  public static func write(_ files: [(url: URL, bytes: Data)]) throws(FileError) {
    let openAtOnce = 32
    for start in stride(from: 0, to: files.count, by: openAtOnce) {
      try writeTogether(files[start..<min(start + openAtOnce, files.count)])
    }
  }

  private static func writeTogether(_ files: ArraySlice<(url: URL, bytes: Data)>) throws(FileError) {
    var unfinished: [(output: OutputFile, temporary: URL, url: URL)] = []
    defer {
      for file in unfinished {
        file.output.close()
        unlink(file.temporary.path)
      }
    }
    for (number, (given, bytes)) in files.enumerated() {
      let url = try destination(of: given)
      let temporary = temporary(for: url, number)
      unfinished.append((try OutputFile(creating: temporary.path, for: url.path), temporary, url))
      try unfinished.last!.output.write(bytes)
      unfinished.last!.output.startFlushing()
    }
    for file in unfinished { try file.output.flushAndClose() }
    var folders: Set<URL> = []
    for _ in files {
      let file = unfinished[0]
      folders.insert(file.url.deletingLastPathComponent())
      try finish(file.temporary, as: file.url)
      unfinished.removeFirst()
    }
    for folder in folders { try Folder.flush(folder) }
  }

  /// Creates and removes the temporary file that `write` would rename to `url`, to know before long work that it can;
  /// removes those of killed processes.
  ///
  /// - Parameters:
  ///   - url: of the file.
  ///   - overwrites: if false and there is no file yet, the first `write` does not replace one that another program makes
  ///     meanwhile: it fails and leaves its result beside it.
  /// - Throws: `FileError` (`failed`) naming the path and the system's reason.
  public static func prepare(_ url: URL, overwrites: Bool) throws(FileError) {
    let url = try destination(of: url)
    let temporary = temporary(for: url)
    try OutputFile(creating: temporary.path, for: url.path).close()
    unlink(temporary.path)
    if !overwrites, FileStatus(of: url) == nil { _ = claimed.withLock { $0.insert(url.path) } }
    removeLeftovers(of: url)
  }

  private static func removeLeftovers(of url: URL) {
    let folder = url.deletingLastPathComponent()
    let prefix = ".\(url.lastPathComponent)."
    for name in (try? Folder.names(in: folder)) ?? [] where name.hasPrefix(prefix) && name.hasSuffix(".part") {
      // "PID.NUMBER.part"; a process of another machine or container may run for a day.
      let parts = name.dropFirst(prefix.count).split(separator: ".", omittingEmptySubsequences: false)
      let file = folder.appendingPathComponent(name)
      guard parts.count == 3, Int(parts[1]) != nil, let writer = pid_t(parts[0]), kill(writer, 0) != 0, errno == ESRCH,
        let changed = (try? FileManager.default.attributesOfItem(atPath: file.path))?[.modificationDate] as? Date,
        changed.timeIntervalSinceNow < -86400
      else { continue }
      unlink(file.path)
    }
  }

  /// Where a path's links lead.
  ///
  /// - Throws: `FileError` (`failed`) for a loop of links, and for what is no regular file.
  private static func destination(of url: URL) throws(FileError) -> URL {
    var url = url
    for _ in 0..<16 {
      switch FileStatus(ofLink: url)?.kind {
      case nil, .file, .folder: return url  // Renaming to a folder fails.
      case .link:
        guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: url.path) else {
          throw .system("this link cannot be read", path: url.path)
        }
        url =
          target.hasPrefix("/")
          ? URL(fileURLWithPath: target) : url.deletingLastPathComponent().appendingPathComponent(target)
      case .stream, .other:
        throw FileError(
          .failed, path: url.path, problem: "is a device or a pipe, not a file", remedy: "give the name of a file")
      }
    }
    throw FileError(.failed, path: url.path, problem: "is a link in a loop of links", remedy: "give the name of a file")
  }

  /// Renames a complete temporary file.
  private static func finish(_ temporary: URL, as url: URL) throws(FileError) {
    let isClaimed = claimed.withLock { $0.remove(url.path) != nil }
    if isClaimed, link(temporary.path, url.path) == 0 {
      unlink(temporary.path)
      return
    }
    // Other errors: a file system without links.
    if isClaimed, errno == EEXIST {
      var (rescued, number) = (url.appendingPathExtension("new"), 1)
      while link(temporary.path, rescued.path) != 0 {
        guard errno == EEXIST else { throw .system("cannot be written", path: rescued.path) }
        number += 1
        rescued = url.appendingPathExtension("new\(number)")
      }
      unlink(temporary.path)
      throw FileError(
        .failed, path: url.path, problem: "was made by another program meanwhile, and is kept",
        remedy: "the result of this one is \(rescued.path)")
    }
    guard rename(temporary.path, url.path) == 0 else { throw .system("cannot be written", path: url.path) }
  }

  private static func temporary(for url: URL, _ number: Int = 0) -> URL {
    url.deletingLastPathComponent().appendingPathComponent(".\(url.lastPathComponent).\(getpid()).\(number).part")
  }
}

/// A file open for writing; errors carry its final path.
public final class OutputFile {
  private var descriptor: Int32
  private let path: String
  private let isOwned: Bool

  init(creating temporaryPath: String, for path: String) throws(FileError) {
    self.path = path
    isOwned = true
    descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    if descriptor < 0 { throw .system("cannot be created", path: path) }
  }

  init(appendingTo path: String) throws(FileError) {
    self.path = path
    isOwned = true
    descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    if descriptor < 0 { throw .system("cannot be opened", path: path) }
  }

  /// An open stream that stays open, such as standard output.
  public init(standard stream: Int32, named name: String) {
    path = name
    descriptor = stream
    isOwned = false
  }

  deinit { close() }

  public func write(_ bytes: Data) throws(FileError) {
    let failure: FileError? = bytes.withUnsafeBytes { buffer in
      do throws(FileError) { try write(buffer) } catch { return error }
      return nil
    }
    if let failure { throw failure }
  }

  public func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    var rest = bytes
    while !rest.isEmpty {
      #if canImport(Glibc)
        let written = Glibc.write(descriptor, rest.baseAddress!, rest.count)
      #else
        let written = Darwin.write(descriptor, rest.baseAddress!, rest.count)
      #endif
      if written < 0 {
        if errno == EINTR { continue }
        throw .system("cannot be written", path: path)
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
  }

  /// Appends `bytes`; truncates the file to its old size on failure.
  func writeAllOrNothing(_ bytes: Data) throws(FileError) {
    let end = lseek(descriptor, 0, SEEK_END)
    do throws(FileError) { try write(bytes) } catch {
      if end >= 0 { ftruncate(descriptor, end) }
      throw error
    }
  }

  /// Starts writing to the disk without waiting.
  fileprivate func startFlushing() {
    #if os(Linux)
      _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)  // Starts writeback of dirty pages.
    #endif
  }

  fileprivate func flushAndClose() throws(FileError) {
    guard fsync(descriptor) == 0 else { throw .system("cannot be flushed to the disk", path: path) }
    close()
  }

  fileprivate func close() {
    guard descriptor >= 0, isOwned else { return }
    #if canImport(Glibc)
      _ = Glibc.close(descriptor)
    #else
      _ = Darwin.close(descriptor)
    #endif
    descriptor = -1
  }
}

extension FileError {
  /// An error with the reason in `errno`: "PATH: cannot be written: No space left on device; free some space".
  public static func system(_ problem: String, path: String) -> FileError {
    let code = errno
    let remedy =
      switch code {
      case ENOSPC, EDQUOT, EFBIG: "free some space or choose another folder"
      case EACCES, EPERM, EROFS: "check the permissions or choose another folder"
      case ENOENT, ENOTDIR: "check the path"
      default: "check the path and the disk"
      }
    let kind = Kind.failed
    return FileError(kind, path: path, problem: "\(problem): \(String(cString: strerror(code)))", remedy: remedy)
  }
}
