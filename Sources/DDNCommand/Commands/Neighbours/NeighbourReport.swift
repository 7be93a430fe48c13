import DDN
import DDNData
import DDNEvaluation
import DDNFigures
import DDNFiles
import DDNPictures
import Foundation
import Images
import Torch

/// The nearest training images of each image, as a picture and as JSON.
struct NeighbourReport {
  /// Images to find neighbours of.
  struct Queries {
    /// `[Q, C, H, W]` in [-1, 1].
    let images: Tensor
    /// Seeds or file names.
    let names: [String]
    /// Codes of generated images; empty for files.
    let entries: [CodeList.Entry]
  }

  struct Record: Encodable {
    struct Image: Encodable {
      let name: String
      let code: String?
      let classIndex: Int?
      var neighbours: [Neighbour] = []
    }
    struct Neighbour: Encodable {
      let index: Int
      let name: String
      let classIndex: Int?
      let distance: Double
      /// Root mean squared, in gray levels.
      let pixelDifference: Double
    }
    let by: String
    let distance: String
    let data: String
    var images: [Image]
  }

  private var record: Record
  private let pictures: [Bitmap]
  private var neighbours: [[Bitmap]] = []

  /// Below it, an image is nearly a copy: 1 % of the range.
  private static let duplicateDifference = 2.55

  init(
    _ queries: Queries, _ found: [[NeighbourSearch.Neighbour]], in dataset: ImageDataset, _ source: TrainingImages,
    _ distance: NeighbourMeasure.Prepared
  ) throws {
    pictures = try queries.images.bitmaps()
    record = Record(by: distance.measure.rawValue, distance: distance.unit, data: dataset.name, images: [])
    let pixels = try NeighbourSearch.pixels(queries.images)
    for (number, nearest) in found.enumerated() {
      let images = try source.batch(nearest.map(\.index)).images
      let differences = try (NeighbourSearch.pixels(images) - pixels.select(0, number)).squared().sum([1])
        .squareRoot().array(Double.self)
      let entry = queries.entries.isEmpty ? nil : queries.entries[number]
      record.images.append(
        .init(
          name: queries.names[number], code: entry?.code.description, classIndex: entry?.classIndex,
          neighbours: zip(nearest, differences).map { neighbour, difference in
            .init(
              index: neighbour.index, name: dataset.name(of: neighbour.index),
              classIndex: dataset.labels?[neighbour.index], distance: distance.reported(neighbour.distance),
              pixelDifference: difference)
          }))
      neighbours.append(try images.bitmaps())
    }
  }

  func write(to folder: OutputFolder, zoom: Int) throws {
    let captions = record.images.map {
      $0.neighbours.map { formatNumber($0.distance, digits: $0.distance < 1 ? 3 : 1) }
    }
    let names = record.images.map { ($0.name as NSString).lastPathComponent }
    try NeighbourGrid.draw(pictures, names: names, neighbours: neighbours, captions: captions, zoom: zoom)
      .write(to: folder.file("neighbours.png"))
    try AtomicFile.write(JSONEncoder.readable.encode(record), to: folder.file("neighbours.json"))
  }

  /// One line on duplicates.
  var summary: String {
    let pairs = record.images.compactMap { image in
      image.neighbours.min { $0.pixelDifference < $1.pixelDifference }.map { (image: image, neighbour: $0) }
    }.sorted { $0.neighbour.pixelDifference < $1.neighbour.pixelDifference }
    guard let first = pairs.first else { return "no images" }
    let copies = pairs.count { $0.neighbour.pixelDifference < Self.duplicateDifference }
    let example =
      "\(first.image.name) and training image \(first.neighbour.index) differ by "
      + "\(formatNumber(first.neighbour.pixelDifference, digits: 1)) gray levels"
    return copies == 0
      ? "none of \(counted(pairs.count, "image")) is a near duplicate of a neighbour: \(example)"
      : "\(copies) of \(counted(pairs.count, "image")) \(copies == 1 ? "is a near duplicate" : "are near duplicates") "
        + "of training images: \(example)"
  }
}
