import DDNFiles
import Foundation

extension OriginalTensor {
  /// Reads any network's state dictionary, saved by torch.save; executes nothing.
  ///
  /// - Parameter url: of a dictionary of tensors, or of a dictionary that holds one, such as under `state_dict`.
  /// - Returns: the tensors by name.
  /// - Throws: `FileError`: `missing` or `failed` when it cannot be read; `invalid` for other content, a truncated or
  ///   damaged file, or weights that are not finite.
  public static func stateDictionary(contentsOf url: URL) throws(FileError) -> [String: OriginalTensor] {
    let remedy = "give a state dictionary: torch.save(network.state_dict(), FILE)"
    do throws(FileError) {
      let snapshot = try OriginalSnapshot(contentsOf: url)
      guard snapshot.kind == .stateDictionary else {
        throw FileError(
          .invalid, path: url.path, problem: "is a \(snapshot.kind.rawValue) of a DDN, not a state dictionary",
          remedy: remedy)
      }
      return snapshot.state
    } catch  where error.remedy == ImportError.defaultRemedy {
      throw FileError(error.kind, path: error.path, problem: error.problem, remedy: remedy)
    }
  }
}
