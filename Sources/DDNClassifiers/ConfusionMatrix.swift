import DDNData
import DDNVision
import Torch

/// How often images of each class are read as each class.
public struct ConfusionMatrix: Sendable, Equatable {
  /// `[classes][readings]` numbers of images.
  public private(set) var counts: [[Int]]

  /// - Parameters:
  ///   - classes: the number of classes of the images.
  ///   - readings: the number of classes of the classifier.
  public init(classes: Int, readings: Int) {
    counts = Array(repeating: Array(repeating: 0, count: readings), count: classes)
  }

  /// Adds an image.
  ///
  /// - Parameters:
  ///   - classNumber: the class of the image.
  ///   - reading: the class that was read.
  public mutating func add(_ classNumber: Int, readAs reading: Int) { counts[classNumber][reading] += 1 }

  /// The number of images.
  public var count: Int { counts.joined().reduce(0, +) }

  /// The number of images that were read as their class.
  public var correct: Int { counts.indices.reduce(0) { $0 + ($1 < counts[$1].count ? counts[$1][$1] : 0) } }

  /// The fraction of images that were read as their class; NaN without images.
  public var accuracy: Double { Double(correct) / Double(count) }

  /// The accuracy of each class; nil without images of the class.
  public var accuracies: [Double?] {
    counts.enumerated().map { number, readings in
      let all = readings.reduce(0, +)
      return all == 0 ? nil : Double(number < readings.count ? readings[number] : 0) / Double(all)
    }
  }

  /// A line for each class: its name, images and accuracy, and how many were read as each class.
  ///
  /// - Parameter names: of the classes; nil for numbers.
  public func lines(names: [String]?) -> [String] {
    func name(_ number: Int) -> String { number < names?.count ?? 0 ? String(names![number].prefix(12)) : "\(number)" }
    let readings = counts.first?.count ?? 0
    let isShown = readings <= 20
    let columns = isShown ? Array(0..<readings) : []
    let widest = columns.map { column in counts.map { "\($0[column])".count }.max() ?? 0 }
    let widths = columns.map { max(name($0).count, widest[$0]) }
    let nameWidth = max("class".count, counts.indices.map { name($0).count }.max() ?? 0)
    func left(_ text: String, _ width: Int) -> String {
      text + String(repeating: " ", count: max(0, width - text.count))
    }
    func right(_ text: String, _ width: Int) -> String {
      String(repeating: " ", count: max(0, width - text.count)) + text
    }
    let header =
      left("class", nameWidth) + "  images  accuracy"
      + (isShown ? "  read as " : "") + columns.map { right(name($0), widths[$0]) }.joined(separator: " ")
    let accuracies = accuracies
    let rows = counts.indices.compactMap { number -> String? in
      guard let accuracy = accuracies[number] else { return nil }
      let tenths = Int((accuracy * 1000).rounded())
      return left(name(number), nameWidth) + "  " + right("\(counts[number].reduce(0, +))", 6)
        + "  " + right("\(tenths / 10).\(tenths % 10) %", 8) + (isShown ? "          " : "")
        + columns.map { right("\(counts[number][$0])", widths[$0]) }.joined(separator: " ")
    }
    return [header] + rows
  }

  /// Classifies a data set.
  ///
  /// - Parameters:
  ///   - data: with classes.
  ///   - classifier: of any number of classes.
  ///   - device: of the classifier.
  ///   - batch: images in memory at once.
  ///   - shouldContinue: called before every batch with the number of images so far; false ends the work.
  /// - Throws: `FileError` when an image cannot be read; `TorchError`; what the classifier throws.
  public init(
    of data: ImageDataset, by classifier: any ImageClassifier, device: Device = .cpu, batch: Int = 256,
    shouldContinue: (Int) -> Bool = { _ in true }
  ) throws {
    self.init(classes: data.classes, readings: classifier.classes)
    for first in stride(from: 0, to: data.count, by: batch) where shouldContinue(first) {
      let indices = Array(first..<min(first + batch, data.count))
      let images = try Tensor(data.pixels(of: indices), shape: [indices.count] + data.imageShape).to(device)
      let readings = try (classifier.logits(of: images.to(.float32) * (1 / 127.5) - 1) * -1).argmin(1).array(Int.self)
      for (index, reading) in zip(indices, readings) { add(data.labels![index], readAs: reading) }
    }
  }
}
