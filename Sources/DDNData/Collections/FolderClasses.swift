import DDNFiles
import Foundation

/// Classes that are the names of folders.
struct FolderClasses {
  /// By class: sorted as numbers where all are numbers, otherwise as text.
  let names: [String]
  /// Of every image.
  let labels: [Int]

  /// Names that say which part of a data set a folder is, and hardly ever a class.
  private static let partNames: Set = [
    "train", "training", "test", "testing", "val", "valid", "validation", "eval", "dev",
  ]

  /// - Parameter names: of all images; their folders are the classes when there are two or more that hold every image.
  init?(_ names: [Substring]) {
    let folders = names.compactMap { name in name.firstIndex(of: "/").map { String(name[..<$0]) } }
    let classes = Set(folders).sorted(by: Self.areInOrder(Set(folders)))
    guard folders.count == names.count, classes.count > 1 else { return nil }
    let numbers = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, $0) })
    self.names = classes
    labels = folders.map { numbers[$0]! }
  }

  /// What is odd about these classes, if anything.
  var warning: String? {
    guard names.allSatisfy({ Self.partNames.contains($0.lowercased()) }) else { return nil }
    let list = names.joined(separator: ", ")
    return "the folders \(list) are taken for classes, and look like parts of a data set; name one of them instead"
  }

  private static func areInOrder(_ names: Set<String>) -> (String, String) -> Bool {
    func asText(_ one: String, _ other: String) -> Bool { one.utf8.lexicographicallyPrecedes(other.utf8) }
    let numbers = names.compactMap { name in name.utf8.allSatisfy { (48...57).contains($0) } ? Int(name) : nil }
    guard numbers.count == names.count else { return asText }
    return { one, other in
      let (first, second) = (Int(one)!, Int(other)!)
      return first == second ? asText(one, other) : first < second
    }
  }
}
