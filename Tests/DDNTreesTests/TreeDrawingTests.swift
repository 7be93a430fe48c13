import DDN
import DDNModels
import DDNPictures
import Foundation
import Images
import Testing
import Torch

@testable import DDNTrees

@Suite("Trees as pictures") struct TreeDrawingTests {
  private static func network(nodes: Int = 3, levels: Int = 3, classes: Bool = false) throws -> RecurrentNetwork {
    try RecurrentNetwork(
      .init(baseWidth: 4, nodes: nodes, repeats: levels, isClassConditional: classes), generator: Generator(seed: 3))
  }

  @Test("children surround the own image without overlap, for any number", arguments: 1...130)
  func grid(nodes: Int) {
    let grid = TreeGrid(nodes: nodes)
    let own = grid.ownStart..<grid.ownStart + grid.own
    #expect(grid.cells.count == nodes && Set(grid.cells.map { $0.row * grid.side + $0.column }).count == nodes)
    for cell in grid.cells {
      #expect((0..<grid.side).contains(cell.column) && (0..<grid.side).contains(cell.row))
      #expect(!(own.contains(cell.column) && own.contains(cell.row)))
    }
    #expect(grid.own >= 1 && own.upperBound <= grid.side)
    #expect(nodes <= 3 || grid.ownStart * 2 + grid.own == grid.side)
  }

  @Test("8 children fill a 3 x 3 square around their parent") func eight() {
    let grid = TreeGrid(nodes: 8)
    #expect(grid.side == 3 && grid.own == 1 && grid.ownStart == 1)
    #expect(grid.cells.map { $0.row * 3 + $0.column } == [0, 1, 2, 3, 5, 6, 7, 8])
  }

  @Test("a layout fits its size, is as large as possible, and leaves out levels that are too small")
  func layout() {
    let nodes = [8, 8, 8, 8]
    for size in [32, 100, 400, 1024, 4000] {
      let layout = TreeLayout(nodes: nodes, size: size)
      #expect(layout.side <= size || layout.leafSide == 1)
      let shown = Array(nodes.prefix(layout.levels))
      #expect(TreeLayout(nodes: shown, leafSide: layout.leafSide + 1).side > size)
      #expect(layout.levels == 4 || TreeLayout(nodes: nodes, leafSide: TreeLayout.smallestLeaf).side > size)
      for (depth, inner) in layout.inner.enumerated() {
        let place = TreeLayout.Rectangle(x: 5, y: 7, side: inner.side)
        for child in 0..<8 {
          let inside = inner.child(child, in: place)
          #expect(inside.x > 5 && inside.x + inside.side < 5 + inner.side && inside.side == inner.cell)
        }
        #expect(inner.cell == (depth + 1 < layout.levels ? layout.inner[depth + 1].side : layout.leafSide))
      }
    }
    #expect(TreeLayout(nodes: Array(repeating: 64, count: 128), size: 1024).levels == 2)
    #expect(TreeLayout(nodes: nodes, size: 400).levels < TreeLayout(nodes: nodes, size: 4000).levels)
  }

  @Test("every node has the image that its code decodes to", arguments: [false, true])
  func images(classes: Bool) throws {
    let network = try Self.network(classes: classes)
    let classIndex = classes ? 2 : nil
    let tree = try TreeImages(network, classIndex: classIndex).tree(levels: 3)
    #expect(tree.count == 1 + 3 + 9 + 27 && tree.depth == 3)
    for choices in [[0, 0, 0], [2, 1, 0], [1, 1, 2]] {
      let leaf = choices.reduce(tree) { $0.children[$1]! }
      let code = try LatentCode(choices, in: network.codeSpace)
      let decoded = try network.decode([code], classes: classIndex.map { [$0] }).bitmaps()[0]
      #expect(leaf.image.difference(from: decoded) <= 1)
      // A subtree is that part of the tree.
      let subtree = try TreeImages(network, classIndex: classIndex).tree(prefix: Array(choices.prefix(1)), levels: 2)
      #expect(subtree.image.difference(from: tree.children[choices[0]]!.image) <= 1)
      #expect(subtree.children[choices[1]]!.children[choices[2]]!.image.difference(from: decoded) <= 1)
    }
    let mean = (0..<3).reduce(0) { $0 + Int(tree.children[$1]!.image.pixels[77]) } / 3
    #expect(abs(Int(tree.image.pixels[77]) - mean) <= 1)
  }

  @Test("with codes, unused subtrees are left out and use is counted") func use() throws {
    let network = try Self.network()
    var codes = PathTable(network.codeSpace)
    for choices in [[0, 1, 2], [0, 1, 1], [0, 1, 2], [2, 0, 0]] {
      try codes.append(LatentCode(choices, in: network.codeSpace))
    }
    let tree = try TreeImages(network, index: CodeIndex(codes)).tree(levels: 3)
    #expect(tree.count == 1 + 2 + 2 + 3 && tree.children[1] == nil)
    #expect(tree.children[0]!.use == 0.75 * 3 && tree.children[0]!.children[1]!.children[2]!.use == 2.0 / 3 * 3)
    #expect(throws: LatentCodeError.self) {
      try TreeImages(network, index: CodeIndex(codes)).tree(prefix: [1], levels: 1)
    }
  }

  @Test("a picture has every node's image and border, as PNG and as SVG") func picture() throws {
    let tree = try TreeImages(Self.network(nodes: 8, levels: 2)).tree(levels: 2)
    let layout = TreeLayout(nodes: [8, 8], size: 400)
    let picture = TreePicture(tree, layout)
    let bitmap = try picture.bitmap()
    #expect(bitmap.width == layout.side && bitmap.height == layout.side)
    var parts = 0
    picture.parts { part in
      parts += 1
      #expect(part.borders.isEmpty == (part.depth == 2))
      #expect(part.place.side == (part.depth == 2 ? layout.leafSide : layout.inner[part.depth].cell - 2 * part.line))
    }
    #expect(parts == 1 + 8 + 64)
    let red = TreePicture.colours[0]
    #expect(bitmap.pixels.prefix(3) == [red.red, red.green, red.blue])
    let svg = try picture.svg()
    #expect(svg.components(separatedBy: "<image").count == 1 + 73)
    #expect(svg.components(separatedBy: "<rect").count == 1 + 1 + 2 * 9)
    #expect(!svg.contains("http://") || svg.components(separatedBy: "http").count == 2)  // the name space
  }

  @Test("a page holds every node once, and loads nothing") func page() throws {
    let tree = try TreeImages(Self.network()).tree(prefix: [1], levels: 2)
    let html = try TreePage(tree, title: "a <b>", prefix: [1]).html()
    #expect(html.contains("\"count\":1,") && html.contains("\"count\":3,") && html.contains("\"count\":9,"))
    #expect(html.contains("a &lt;b>") && html.contains("prefix = [1]") && !html.contains("http"))
    for word in ["TITLE", "PREFIX", "COLOURS", "LEVELS"] { #expect(!html.contains(word)) }
    #expect(!html.contains("\"places\""))
  }

  @Test("networks without a single tree are refused") func refused() throws {
    #expect(throws: ConditionError.self) { try TreeImages(Self.network(classes: true)) }
    #expect(throws: ConditionError.self) { try TreeImages(Self.network(), classIndex: 0) }
    let pyramid = try PyramidNetwork(
      .init(resolution: 8, channelMaximum: 8, conditions: [.gray]), generator: Generator(seed: 1))
    #expect(throws: ConditionError.self) { try TreeImages(pyramid) }
  }
}

extension Bitmap {
  fileprivate func difference(from other: Bitmap) -> Int {
    zip(pixels, other.pixels).map { abs(Int($0) - Int($1)) }.max()!
  }
}
