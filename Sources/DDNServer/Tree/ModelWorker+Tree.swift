import DDN
import DDNPictures
import DDNTrees
import Foundation
import Images
import Torch

/// A place in the tree: a code, or the root.
struct TreePlace: Sendable {
  let model: String
  /// Nil for the root.
  let code: String?
  let classIndex: Int?
}

/// The images on the way to a place, and those to choose from there.
struct TreeChoices: Encodable, Sendable {
  let code: String
  /// Levels chosen.
  let level: Int
  let of: Int
  /// Data URLs of the image chosen at each level.
  let path: [String]
  /// Data URLs of the next level's images; empty for a whole code.
  let candidates: [String]
}

/// A picture of the tree below a place, with where its nodes are.
struct TreeOverview: Encodable, Sendable {
  /// The nodes of one depth that have children; see `TreeLayout.Inner`.
  struct Grid: Encodable, Sendable {
    let line: Int
    let gap: Int
    /// Pixels on a side of a child.
    let cell: Int
    /// `[K]`, column and row of each child.
    let cells: [[Int]]
  }

  let code: String
  /// A data URL.
  let picture: String
  /// Pixels on a side.
  let side: Int
  /// From the place's children on.
  let grids: [Grid]
}

extension ModelWorker {
  /// The images to choose from at a place.
  ///
  /// - Throws: `RequestError`, `LatentCodeError`; `TorchError`.
  func choices(at place: TreePlace) throws -> TreeChoices {
    let (served, code) = try find(place)
    let space = served.network.codeSpace
    return try bounded { check in
      var run = try served.network.begin(
        samples: 1, condition: served.condition(classIndex: place.classIndex, count: 1))
      var path: [String] = []
      for choices in try code.map({ try [$0].tensors(on: served.network.device) }) ?? [] {
        let output = try run.advance(choosing: choices)
        path.append(try served.network.enlarged(output.imagesPerSample()).bitmaps()[0].dataURL())
        try check()
      }
      var candidates: [String] = []
      if !run.isFinished {
        guard space.levels[run.level].nodes <= limits.candidates else {
          throw RequestError.unfit(
            "a level of \(space.levels[run.level].nodes) images is too many: \(limits.candidates) are shown at most")
        }
        let images = try run.candidates().images()  // [1, K, C, h, w]
        candidates = try images.reshaped(Array(images.shape.dropFirst())).bitmaps().map { try $0.dataURL() }
      }
      return TreeChoices(
        code: code?.description ?? "", level: run.level, of: space.levels.count, path: path, candidates: candidates)
    }
  }

  /// The tree below a place, as many levels as can be made out.
  ///
  /// - Parameters:
  ///   - place: not a leaf.
  ///   - size: pixels on a side, at most.
  /// - Throws: `RequestError`, `LatentCodeError`; `TorchError`.
  func overview(of place: TreePlace, size: Int) throws -> TreeOverview {
    let (served, code) = try find(place)
    let space = served.network.codeSpace
    let depth = code?.levelCount ?? 0
    guard depth < space.levels.count else { throw RequestError.unfit("a whole code has nothing below it") }
    let layout = TreeLayout(nodes: space.levels[depth...].map(\.nodes), size: size)
    let count = TreeImages.nodeCount(space, depth: depth, levels: layout.levels)
    guard count <= Double(4 * limits.candidates) else {
      throw RequestError.unfit("a tree of \(Int(count)) images is too large to draw")
    }
    return try bounded { check in
      let images = try TreeImages(served.network, classIndex: place.classIndex)
      let root = try images.tree(prefix: code?.choices ?? [], levels: layout.levels) { _ in
        do { try check() } catch { return false }
        return true
      }
      return TreeOverview(
        code: code?.description ?? "", picture: try TreePicture(root, layout).bitmap().dataURL(), side: layout.side,
        grids: layout.inner.map { inner in
          .init(
            line: inner.line, gap: inner.gap, cell: inner.cell, cells: inner.grid.cells.map { [$0.column, $0.row] })
        })
    }
  }

  /// The image of a code as PNG.
  ///
  /// - Parameters:
  ///   - place: not the root.
  ///   - zoom: each pixel becomes so many on a side.
  func picture(of place: TreePlace, zoom: Int) throws -> Data {
    let (served, code) = try find(place)
    guard let code else { throw RequestError.malformed("code is missing") }
    return try bounded { _ in
      let image = try served.network.decode([code], classes: place.classIndex.map { [$0] })
      return try PNG.encode(image.bitmaps()[0].zoomed(by: zoom))
    }
  }

  private func find(_ place: TreePlace) throws -> (ServedModel, LatentCode?) {
    let served = try model(place.model)
    try served.check(classIndex: place.classIndex)
    return (served, try place.code.map { try LatentCode(parsing: $0, in: served.network.codeSpace) })
  }
}
