import DDNFiles
import Foundation

/// Classes from folder names.
struct FolderClasses {
  /// Names of the classes: in numerical order if all are numbers, else in byte order.
  let names: [String]
  /// The class of every image.
  let labels: [Int]

  /// Folder names that mean a split rather than a class.
  private static let splitNames: Set = [
    "train", "training", "test", "testing", "val", "valid", "validation", "eval", "dev",
  ]

  /// Nil unless every image is in one of two or more folders.
  ///
  /// - Parameter names: paths of all images.
  init?(_ names: [Substring]) {
    let folders = names.compactMap { name in name.firstIndex(of: "/").map { String(name[..<$0]) } }
    let classes = Set(folders).sorted(by: Self.areInOrder(Set(folders)))
    guard folders.count == names.count, classes.count > 1 else { return nil }
    let numbers = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, $0) })
    self.names = classes
    labels = folders.map { numbers[$0]! }
  }

  /// Warns if the folders look like splits of a data set.
  var warning: String? {
    guard names.allSatisfy({ Self.splitNames.contains($0.lowercased()) }) else { return nil }
    let list = names.joined(separator: ", ")
    return "the folders \(list) are used as classes, but look like splits of a data set; give one of them instead"
  }

  private static func areInOrder(_ names: Set<String>) -> (String, String) -> Bool {
    func inByteOrder(_ one: String, _ other: String) -> Bool { one.utf8.lexicographicallyPrecedes(other.utf8) }
    let numbers = names.compactMap { name in name.utf8.allSatisfy { (48...57).contains($0) } ? Int(name) : nil }
    guard numbers.count == names.count else { return inByteOrder }
    return { one, other in
      let (first, second) = (Int(one)!, Int(other)!)
      return first == second ? inByteOrder(one, other) : first < second
    }
  }
}
