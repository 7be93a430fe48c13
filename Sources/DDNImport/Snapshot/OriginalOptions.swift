import DDNFiles
import Foundation

/// What the original's `training_options.json`, beside a snapshot, says that the snapshot does not.
public struct OriginalOptions: Sendable, Equatable {
  public static let fileName = "training_options.json"

  /// The option `--learn-res`; nil when the file does not name it.
  public let learnsResidual: Bool?

  /// Reads the file in the folder of a snapshot.
  ///
  /// - Returns: nil when there is none.
  /// - Throws: `FileError` (`invalid`) when it is not what the original writes.
  public init?(beside snapshot: URL) throws(FileError) {
    let url = snapshot.deletingLastPathComponent().appendingPathComponent(Self.fileName)
    guard FileManager.default.fileExists(atPath: url.path) else { return nil }
    let data = try InputFile.map(url)
    func refuse(_ problem: String) -> FileError {
      FileError(.invalid, path: url.path, problem: problem, remedy: "say --learn-res true or false, or remove the file")
    }
    guard data.count <= 1 << 24 else { throw refuse("has \(data.count) bytes, more than options take") }
    do { learnsResidual = try JSONDecoder().decode(File.self, from: data).kwargs.learnsResidual } catch {
      // A type that is wrong below `kwargs` is that of the one option that is read.
      if case DecodingError.typeMismatch(_, let context)? = error as? DecodingError, context.codingPath.count > 1 {
        throw refuse("has a learn_res that is neither true nor false")
      }
      throw refuse("has no options of the original's training")
    }
  }

  private struct File: Decodable {
    let kwargs: Options
  }

  private struct Options: Decodable {
    let learnsResidual: Bool?
    enum CodingKeys: String, CodingKey { case learnsResidual = "learn_res" }
  }
}
