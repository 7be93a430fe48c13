import DDNFiles
import Foundation

/// The content of a `dataset.json`: `{"labels": [["00000/img00000000.png", 6], ...]}`, or null without classes.
///
/// Two optional keys, which other tools ignore: `"class_names": ["cat", ...]` and `"preparation": ["..."]`.
///
/// Source: the format of the EDM dataset tool.
public struct ImageLabels {
  /// The class of every image; nil without classes.
  var labels: [Int]?
  /// Names of the classes from 0 on.
  var classNames: [String]?
  /// Preprocessing steps, one sentence each.
  var preparation: [String] = []

  public init(labels: [Int]?) { self.init(labels: labels, classNames: nil) }

  init(labels: [Int]? = nil, classNames: [String]? = nil, preparation: [String] = []) {
    (self.labels, self.classNames, self.preparation) = (labels, classNames, preparation)
  }

  /// The highest class; bounds the size of a network's class embedding.
  static let maxLabel = 999_999

  /// The labels in the order of `names`.
  ///
  /// - Throws: `FileError` (`invalid`) for malformed JSON, images without a label or with two, labels of unknown images
  ///   or outside 0...`maxLabel`, and classes without a name.
  static func read(_ data: Data, path: String, names: [String]) throws(FileError) -> ImageLabels {
    func invalid(_ problem: String, _ remedy: String = "make the data set again") -> FileError {
      FileError(.invalid, path: path, problem: problem, remedy: remedy)
    }
    // Names are short: a small archive is not to take gigabytes for its labels.
    let limit = (1 << 20) + names.count << 12
    guard data.count <= limit else {
      throw invalid("has \(data.count) bytes for \(names.count) images, above the limit of \(limit)")
    }
    let file: File
    do { file = try JSONDecoder().decode(File.self, from: data) } catch {
      throw invalid(
        "is not JSON with a list of [name, class] under \"labels\"\(JSONErrorText.suffix(for: error, in: data))",
        "correct it or make the data set again")
    }
    let preparation = file.preparation ?? []
    guard let pairs = file.labels else { return ImageLabels(preparation: preparation) }
    if let name = names.unicodeDuplicate() {
      throw invalid("has two images named \(quoted(name)) in different Unicode spellings", "rename one of them")
    }
    let places = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
    var labels = [Int](repeating: -1, count: names.count)
    for pair in pairs {
      guard let place = places[pair.name] else {
        throw invalid("labels \(quoted(pair.name)), but there is no such image")
      }
      guard let label = pair.label else {
        throw invalid(
          "gives \(quoted(pair.name)) a label that is not a whole number",
          "give every image one class; vectors are not supported")
      }
      guard label >= 0, label <= Double(maxLabel) else {
        throw invalid("gives \(quoted(pair.name)) the class \(pair.text), not within 0...\(maxLabel)")
      }
      guard labels[place] < 0 else { throw invalid("labels \(quoted(pair.name)) twice") }
      labels[place] = Int(label)
    }
    if let place = labels.firstIndex(of: -1) {
      let missing = labels.count { $0 < 0 }
      throw invalid("has no label for \(missing) of \(labels.count) images, such as \(quoted(names[place]))")
    }
    if let names = file.classNames, let highest = labels.max(), names.count <= highest {
      throw invalid("has \(names.count) \"class_names\", too few for class \(highest)")
    }
    return ImageLabels(labels: labels, classNames: file.classNames, preparation: preparation)
  }

  /// Encodes a `dataset.json`; deterministic.
  ///
  /// - Parameter names: of the images, in the order of `labels`.
  public func data(names: [String]) -> Data {
    var keys: [String] = []
    if let labels {
      let pairs = zip(names, labels).map { "[\"\($0)\", \($1)]" }.joined(separator: ",\n")
      keys.append("\"labels\": [\n\(pairs)\n]")
    } else {
      keys.append("\"labels\": null")
    }
    if labels != nil, let classNames { keys.append("\"class_names\": \(Self.json(classNames))") }
    if !preparation.isEmpty { keys.append("\"preparation\": \(Self.json(preparation))") }
    return Data("{\(keys.joined(separator: ",\n"))}\n".utf8)
  }

  private static func json(_ texts: [String]) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    return String(decoding: try! encoder.encode(texts), as: UTF8.self)  // Strings can always be encoded.
  }

  private struct File: Decodable {
    let labels: [Pair]?
    let classNames: [String]?
    let preparation: [String]?

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: Keys.self)
      // The key is required; its value may be null.
      labels = try values.decodeNil(forKey: .labels) ? nil : values.decode([Pair].self, forKey: .labels)
      classNames = try values.decodeIfPresent([String].self, forKey: .classNames)
      preparation = try values.decodeIfPresent([String].self, forKey: .preparation)
    }

    private enum Keys: String, CodingKey {
      case labels, preparation
      case classNames = "class_names"
    }
  }

  private struct Pair: Decodable {
    let name: String
    /// Nil unless a whole number.
    let label: Double?
    /// For messages.
    var text: String { label.map { abs($0) < 1e15 ? String(Int($0)) : String($0) } ?? "" }

    init(from decoder: any Decoder) throws {
      var values = try decoder.unkeyedContainer()
      name = try values.decode(String.self)
      let number = try? values.decode(Double.self)
      label = number.flatMap { $0.rounded() == $0 ? $0 : nil }
    }
  }
}
