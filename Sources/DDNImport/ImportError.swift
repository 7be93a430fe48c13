import DDNFiles

/// What is wrong with a file of the original program; the file's name is added where it is known.
struct ImportProblem: Error, Equatable {
  /// Without a full stop, to be read behind the file's name: "ends within the number at byte 12".
  let text: String
  /// What to do, without a full stop.
  let remedy: String

  static let usualRemedy =
    "use a snapshot (.pkl) or training state (.pt) of the original program, or a state dictionary that torch.save wrote"

  init(_ text: String, remedy: String = usualRemedy) {
    self.text = text
    self.remedy = remedy
  }

  func fileError(_ path: String) -> FileError {
    FileError(.invalid, path: path, problem: text, remedy: remedy)
  }
}
