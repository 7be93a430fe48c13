import DDN
import DDNData
import DDNPictures
import DDNTraining
import Foundation
import Images
import Torch

/// The images that a command approximates: image files, a data set, or the shipped test digits.
struct TargetImages {
  let source: any EncodingSource
  /// Number of the source's images, from the first.
  let count: Int
  /// An image's name in reports.
  let name: (Int) -> String

  /// - Parameters:
  ///   - files: image files; empty for a data set.
  ///   - data: path of a data set; nil for the shipped test digits.
  ///   - split: of data sets that have both.
  ///   - resize: of 28x28 digits; nil for the default.
  ///   - count: number of images of the data set; nil for `defaultCount`, or all if fewer.
  ///   - defaultCount: without `count`.
  ///   - model: must have the images' shape; image files are fitted to it.
  ///   - device: of the model.
  /// - Throws: `FileError` for files and data sets that cannot be read or do not fit; `UsageError`.
  init(
    _ files: [String], data: String?, split: DatasetSplit = .test, resize: DigitDataset.Resize?, count: Int?,
    defaultCount: Int, of model: Model,
    device: Device
  ) throws {
    guard files.isEmpty else {
      let pictures = try files.map { try PNG.read(URL(fileURLWithPath: $0), fittedTo: model.network.imageShape) }
      for (file, picture) in zip(files, pictures) where picture.isConstant {
        Terminal.printError("note: \(file) is blank: all pixels are equal, once transparent ones are white")
      }
      source = PictureSource(pictures, device: device)
      self.count = pictures.count
      name = { files[$0] }
      return
    }
    let dataset = try Self.load(data, split: split, resize: resize ?? TrainingDefaults.resize)
    guard count ?? 1 <= dataset.count else {
      throw UsageError("--count \(count!): there are \(dataset.count) images in \(data ?? dataset.name)")
    }
    try model.configuration.check(dataset, path: data ?? dataset.name, as: .reconstructing)
    source = try TrainingImages(dataset, device: device)
    self.count = count ?? min(defaultCount, dataset.count)
    name = { "\($0)" }
  }

  private init(source: any EncodingSource, count: Int, name: @escaping (Int) -> String) {
    (self.source, self.count, self.name) = (source, count, name)
  }

  /// Image files in one class; data sets, which have classes, as they are.
  ///
  /// - Throws: `UsageError` when a class is missing or not the model's.
  func inClass(_ classIndex: Int?, of model: Model, device: Device) throws -> TargetImages {
    try model.check(classIndex: classIndex)
    guard source is PictureSource, model.network.classes > 0 else { return self }
    guard let classIndex else {
      throw UsageError("this model has classes: give the images' class with --class 0...\(model.network.classes - 1)")
    }
    return TargetImages(
      source: try ClassSource(source, classIndex: classIndex, device: device), count: count, name: name)
  }

  private static func load(
    _ data: String?, split: DatasetSplit, resize: DigitDataset.Resize
  ) throws -> ImageDataset {
    guard let data else { return ImageDataset(try TrainingOptions.shippedDigits(resize: resize).unseen) }
    let source = try openImages(URL(fileURLWithPath: data), split: split, resize: resize)
    Terminal.printNotes(source.notes)
    return try ImageDataset(source, cacheBytes: 0)
  }
}

/// Images that all have one class.
private struct ClassSource: EncodingSource {
  private let images: any EncodingSource
  private let classTensor: Tensor

  init(_ images: any EncodingSource, classIndex: Int, device: Device) throws {
    self.images = images
    classTensor = try Tensor([classIndex], shape: [1]).to(device)
  }

  var count: Int { images.count }

  func images(in range: Range<Int>) throws -> (images: Tensor, classes: Tensor?) {
    (try images.images(in: range).images, try classTensor.expanded([range.count]))
  }
}
