import DDNFiles

/// What is wrong with a file of the original program, without the file's path.
struct ImportError: Error, Equatable {
  /// Continues the path, without a full stop: "ends within the number at byte 12".
  let problem: String
  /// Without a full stop.
  let remedy: String

  static let defaultRemedy =
    "use a snapshot (.pkl) or training state (.pt) of the original program, or a state dictionary saved by torch.save"

  init(_ problem: String, remedy: String = defaultRemedy) {
    self.problem = problem
    self.remedy = remedy
  }

  func fileError(_ path: String) -> FileError {
    FileError(.invalid, path: path, problem: problem, remedy: remedy)
  }
}
