import DDNFiles
import Foundation

extension ResidualClassifier {
  /// The names of the trained classifiers in this package; a smaller copy of the package may lack some.
  public static let shippedNames = [
    "digits", "digits-judge", "cifar10", "cifar10-judge", "smiles", "smiles-judge",
  ].filter { FileManager.default.fileExists(atPath: shippedURL($0).path) }

  /// The file of a shipped classifier.
  ///
  /// - Parameter name: such as "digits".
  public static func shippedURL(_ name: String) -> URL {
    Bundle.module.bundleURL.appendingPathComponent("classifiers/\(name).safetensors")
  }

  /// The file of a classifier.
  ///
  /// - Parameter nameOrPath: an existing path, else a shipped classifier's name; a folder is no classifier.
  /// - Throws: `FileError` (`missing`) when it is neither.
  public static func url(of nameOrPath: String) throws(FileError) -> URL {
    let url = URL(fileURLWithPath: nameOrPath)
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
    let isShipped = shippedNames.contains(nameOrPath)
    if exists, !isFolder.boolValue || !isShipped { return url }
    guard isShipped else {
      throw FileError(
        .missing, path: nameOrPath, problem: "no such classifier",
        remedy: "give a file that ddn classifier train wrote, or one of \(shippedNames.joined(separator: ", "))")
    }
    return shippedURL(nameOrPath)
  }

  /// The name of the shipped classifier for guiding images of a shape; nil when there is none.
  ///
  /// - Parameter imageShape: channels, height and width.
  public static func shippedName(forImagesOf imageShape: [Int]) -> String? {
    let names = [[1, 32, 32]: "digits", [3, 32, 32]: "cifar10", [1, 64, 64]: "smiles"]
    return names[imageShape].flatMap { shippedNames.contains($0) ? $0 : nil }
  }
}
