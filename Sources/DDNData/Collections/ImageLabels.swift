import DDNFiles
import Foundation

/// The classes in a `dataset.json`: `{"labels": [["00000/img00000000.png", 6], ...]}`, or null for none.
///
/// Source: the format of the EDM dataset tool.
public enum ImageLabels {
  /// Classes are 0 to this; their number decides the size of what a network learns of them.
  static let maxLabel = 999_999

  /// The class of every image in the order of `names`; nil when the file says that there are none.
  ///
  /// - Throws: `FileError` (`invalid`) when it is no such file; an image has no label, or two; a label belongs to no
  ///   image, or is no whole number from 0 to `maxLabel`.
  static func read(_ data: Data, path: String, names: [String]) throws(FileError) -> [Int]? {
    func invalid(_ problem: String, _ remedy: String = "make the data set again") -> FileError {
      FileError(.invalid, path: path, problem: problem, remedy: remedy)
    }
    let file: File
    do { file = try JSONDecoder().decode(File.self, from: data) } catch {
      throw invalid("is no JSON with a list of [name, class] under \"labels\"")
    }
    guard let pairs = file.labels else { return nil }
    if let name = names.spelledTwice() {
      throw invalid(
        "cannot tell apart two images that are named \(quoted(name)) in two spellings", "rename one of them")
    }
    let places = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
    var labels = [Int](repeating: -1, count: names.count)
    for pair in pairs {
      guard let place = places[pair.name] else {
        throw invalid("labels \(quoted(pair.name)), and there is no such image")
      }
      guard let label = pair.label else {
        throw invalid(
          "gives \(quoted(pair.name)) a label that is no whole number",
          "give every image one class; vectors are not supported")
      }
      guard label >= 0, label <= Double(maxLabel) else {
        throw invalid("gives \(quoted(pair.name)) the class \(pair.text), which is not within 0...\(maxLabel)")
      }
      guard labels[place] < 0 else { throw invalid("labels \(quoted(pair.name)) twice") }
      labels[place] = Int(label)
    }
    if let place = labels.firstIndex(of: -1) {
      let missing = labels.count { $0 < 0 }
      throw invalid("has no label for \(missing) of \(labels.count) images, such as \(quoted(names[place]))")
    }
    return labels
  }

  /// The bytes of a `dataset.json`; the same labels always give the same bytes.
  public static func data(names: [String], labels: [Int]?) -> Data {
    guard let labels else { return Data("{\"labels\": null}\n".utf8) }
    let pairs = zip(names, labels).map { "[\"\($0)\", \($1)]" }.joined(separator: ",\n")
    return Data("{\"labels\": [\n\(pairs)\n]}\n".utf8)
  }

  private struct File: Decodable {
    let labels: [Pair]?

    init(from decoder: any Decoder) throws {
      let values = try decoder.container(keyedBy: Keys.self)
      // The key must be there; null is an answer.
      labels = try values.decodeNil(forKey: .labels) ? nil : values.decode([Pair].self, forKey: .labels)
    }

    private enum Keys: CodingKey { case labels }
  }

  private struct Pair: Decodable {
    let name: String
    /// Nil for what is no whole number.
    let label: Double?
    /// The number as people read it.
    var text: String { label.map { abs($0) < 1e15 ? String(Int($0)) : String($0) } ?? "" }

    init(from decoder: any Decoder) throws {
      var values = try decoder.unkeyedContainer()
      name = try values.decode(String.self)
      let number = try? values.decode(Double.self)
      label = number.flatMap { $0.rounded() == $0 ? $0 : nil }
    }
  }
}
