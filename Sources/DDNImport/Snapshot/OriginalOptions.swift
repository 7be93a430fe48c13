import DDNFiles
import Foundation

/// Options in the original's `training_options.json` that a snapshot does not hold.
public struct OriginalOptions: Sendable, Equatable {
  public static let fileName = "training_options.json"

  /// The option `--learn-res`, if the file has it.
  public let namedLearnsResidual: Bool?
  /// As in the original's generate.py: the option or, without it, whether the path contains "learn.res".
  public let learnsResidual: Bool
  /// The option `--fp16`: features in float16.
  public let usesHalfPrecision: Bool

  /// Reads the file in a snapshot's folder; nil if there is none.
  ///
  /// - Throws: `FileError` (`invalid`) when the content is not the original's.
  public init?(beside snapshot: URL) throws(FileError) {
    let url = snapshot.deletingLastPathComponent().appendingPathComponent(Self.fileName)
    guard FileManager.default.fileExists(atPath: url.path) else { return nil }
    let data = try InputFile.map(url)
    func invalid(_ problem: String) -> FileError {
      FileError(
        .invalid, path: url.path, problem: problem, remedy: "give --learn-res true or false, or remove the file")
    }
    guard data.count <= 1 << 24 else { throw invalid("has \(data.count) bytes, more than options need") }
    do {
      let options = try JSONDecoder().decode(File.self, from: data).kwargs
      namedLearnsResidual = options.learnsResidual
      learnsResidual = options.learnsResidual ?? snapshot.path.contains("learn.res")
      usesHalfPrecision = options.usesHalfPrecision ?? false
    } catch {
      // Below `kwargs`, only learn_res can have a wrong type.
      if case DecodingError.typeMismatch(_, let context)? = error as? DecodingError, context.codingPath.count > 1 {
        throw invalid("has a learn_res that is neither true nor false")
      }
      throw invalid("has no options of the original's training")
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
      // Informative only, so errors are ignored.
      usesHalfPrecision = try? container.decodeIfPresent(Bool.self, forKey: .usesHalfPrecision)
    }
  }
}
