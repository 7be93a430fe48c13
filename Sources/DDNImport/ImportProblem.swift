import DDNFiles

/// What is wrong with a file of the original program; the file's name is added where it is known.
struct ImportProblem: Error, Equatable {
  /// Without a full stop, to be read behind the file's name: "ends within the number at byte 12".
  let text: String

  init(_ text: String) { self.text = text }

  func fileError(_ path: String) -> FileError {
    FileError(
      .invalid, path: path, problem: text,
      remedy: "use a snapshot (.pkl) or training state (.pt) of the original program, or a state dictionary that "
        + "torch.save wrote")
  }
}
