import DDNFiles
import Foundation

/// What the original's `training_options.json`, beside a snapshot, says that the snapshot does not.
public struct OriginalOptions: Sendable, Equatable {
  public static let fileName = "training_options.json"

  /// The option `--learn-res`, where the file names it.
  public let namedLearnsResidual: Bool?
  /// What the original's generate.py takes: the option or, without it, whether the path contains "learn.res".
  public let learnsResidual: Bool
  /// The option `--fp16`: the network's features were float16.
  public let usesHalfPrecision: Bool

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
    do {
      let options = try JSONDecoder().decode(File.self, from: data).kwargs
      namedLearnsResidual = options.learnsResidual
      learnsResidual = options.learnsResidual ?? snapshot.path.contains("learn.res")
      usesHalfPrecision = options.usesHalfPrecision ?? false
    } catch {
      // A type that is wrong below `kwargs` is that of an option that is read.
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
    let usesHalfPrecision: Bool?
    enum CodingKeys: String, CodingKey {
      case learnsResidual = "learn_res"
      case usesHalfPrecision = "fp16"
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      learnsResidual = try container.decodeIfPresent(Bool.self, forKey: .learnsResidual)
      // Only mentioned, so that nothing else of it is a reason to refuse.
      usesHalfPrecision = try? container.decodeIfPresent(Bool.self, forKey: .usesHalfPrecision)
    }
  }
}
