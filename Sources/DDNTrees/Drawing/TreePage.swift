import Foundation
import Images

/// A self-contained HTML page that zooms into a tree: one embedded PNG with all images of each level, and a script that
/// draws what is visible.
public struct TreePage {
  private let root: TreeNode
  private let title: String
  private let prefix: [Int]

  /// Pixels of one level's images, at most: the limit of an image that browsers decode.
  private static let maxSheetPixels = 1 << 26

  /// - Parameters:
  ///   - root: the tree.
  ///   - title: of the page.
  ///   - prefix: the root's choices, for the codes that the page shows.
  public init(_ root: TreeNode, title: String, prefix: [Int] = []) {
    self.root = root
    self.title = title
    self.prefix = prefix
  }

  /// The page's text.
  ///
  /// - Throws: `ImageError` when a level has too many images for one PNG.
  public func html() throws(ImageError) -> String {
    var levels: [String] = []
    // Each node with its place among the level's places: parent * K + choice.
    var nodes: [(place: Int, node: TreeNode)] = [(0, root)]
    while !nodes.isEmpty {
      levels.append(try level(nodes))
      var next: [(place: Int, node: TreeNode)] = []
      for (number, (_, node)) in nodes.enumerated() {
        for (choice, child) in node.children.enumerated() {
          guard let child else { continue }
          next.append((number * node.children.count + choice, child))
        }
      }
      nodes = next
    }
    let safe = title.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
    return Self.page.replacingOccurrences(of: "TITLE", with: safe)
      .replacingOccurrences(of: "PREFIX", with: prefix.map(String.init).joined(separator: ","))
      .replacingOccurrences(
        of: "COLOURS",
        with: TreePicture.colours.map { "\"rgb(\($0.red),\($0.green),\($0.blue))\"" }.joined(separator: ",")
      )
      .replacingOccurrences(of: "LEVELS", with: levels.joined(separator: ",\n"))
  }

  /// One level as JSON: its images in a sheet, and its nodes' places among all children of the level above.
  private func level(_ nodes: [(place: Int, node: TreeNode)]) throws(ImageError) -> String {
    let first = nodes[0].node.image
    let columns = max(1, Int(Double(nodes.count).squareRoot().rounded(.up)))
    let rows = (nodes.count + columns - 1) / columns
    guard columns * rows * first.width * first.height <= Self.maxSheetPixels else {
      throw ImageError(
        problem: "a level of \(nodes.count) images is too large for a page", remedy: "draw fewer levels")
    }
    var sheet = Bitmap(
      width: columns * first.width, height: rows * first.height, channels: first.channels, shade: 255)
    for (number, (_, node)) in nodes.enumerated() {
      sheet.paste(node.image, x: number % columns * first.width, y: number / columns * first.height)
    }
    var fields = [
      #""columns":\#(columns),"width":\#(first.width),"height":\#(first.height),"count":\#(nodes.count)"#,
      #""sheet":"data:image/png;base64,\#(try PNG.encode(sheet).base64EncodedString())""#,
    ]
    if let children = nodes.lazy.map(\.node.children).first(where: { !$0.isEmpty }) {
      let grid = TreeGrid(nodes: children.count)
      let cells = grid.cells.map { "[\($0.column),\($0.row)]" }.joined(separator: ",")
      fields.append(
        #""nodes":\#(children.count),"side":\#(grid.side),"own":\#(grid.own),"start":\#(grid.ownStart)"#
          + #","cells":[\#(cells)]"#)
    }
    // A level with all nodes needs no list.
    if nodes.enumerated().contains(where: { $0 != $1.place }) {
      fields.append(#""places":[\#(nodes.map { String($0.place) }.joined(separator: ","))]"#)
    }
    if nodes.contains(where: { $0.node.use != nil }) {
      let opacities = nodes.map { String(Int((min($0.node.use ?? 1, 1) * 100).rounded())) }
      fields.append(#""uses":[\#(opacities.joined(separator: ","))]"#)
    }
    return "{\(fields.joined(separator: ","))}"
  }

  private static let page = #"""
    <!doctype html>
    <html lang="en">
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>TITLE</title>
    <style>
    html, body { margin: 0; height: 100%; overflow: hidden; background: #fff }
    body { font: 14px system-ui, sans-serif; color: #222 }
    canvas { display: block; width: 100%; height: 100%; touch-action: none; cursor: grab }
    p { position: fixed; left: 0; bottom: 0; margin: 0; padding: .4em .8em; background: #fffd }
    code { font-weight: 600 }
    </style>
    <canvas tabindex="0" aria-label="TITLE"></canvas>
    <p><span>TITLE</span> &middot; wheel or pinch zooms, drag moves, double click enters a node, 0 shows all &middot;
    <code></code></p>
    <script>
    "use strict";
    const prefix = [PREFIX], colours = [COLOURS], levels = [
    LEVELS
    ];
    const canvas = document.querySelector("canvas"), pen = canvas.getContext("2d");
    const caption = document.querySelector("code");
    let view = {x: 0, y: 0, side: 1}, pixels = 1;

    for (const level of levels) {
      level.image = new Image();
      level.image.onload = draw;
      level.image.src = level.sheet;
      // The number of the node at each place; absent nodes are unused ones.
      level.at = level.places ? new Map(level.places.map((place, number) => [place, number])) : null;
    }
    function numberAt(depth, place) {
      const level = levels[depth];
      if (level.at) return level.at.get(place);
      return place < level.count ? place : undefined;
    }

    // The geometry of a node's square; a border is a hundredth, a gap two hundredths of it.
    function geometry(depth, box) {
      const level = levels[depth], line = Math.max(1, box.side * .01), gap = box.side * .012;
      const cell = (box.side - 2 * line - gap * (level.side + 1)) / level.side;
      const offset = cells => line + gap + cells * (cell + gap);
      return {
        line,
        own: {x: box.x + offset(level.start), y: box.y + offset(level.start), side: level.own * cell + (level.own - 1) * gap},
        child: k => ({x: box.x + offset(level.cells[k][0]), y: box.y + offset(level.cells[k][1]), side: cell}),
      };
    }
    function hasChildren(depth) { return depth + 1 < levels.length; }
    function isVisible(box) {
      return box.x < canvas.width && box.y < canvas.height && box.x + box.side > 0 && box.y + box.side > 0;
    }
    function drawImage(depth, number, box) {
      const level = levels[depth];
      if (!level.image.complete || !level.image.naturalWidth) return;
      pen.globalAlpha = level.uses ? .25 + .0075 * level.uses[number] : 1;
      pen.imageSmoothingEnabled = box.side < level.width;
      pen.drawImage(level.image, number % level.columns * level.width, Math.floor(number / level.columns) * level.height,
        level.width, level.height, box.x, box.y, box.side, box.side);
      pen.globalAlpha = 1;
    }
    function outline(box, line, colour) {
      pen.strokeStyle = colour;
      pen.lineWidth = line;
      pen.strokeRect(box.x + line / 2, box.y + line / 2, box.side - line, box.side - line);
    }
    function drawNode(depth, number, box) {
      if (!isVisible(box) || box.side < 2) return;
      if (!hasChildren(depth) || box.side < 24) return drawImage(depth, number, box);
      const level = levels[depth], shape = geometry(depth, box), colour = colours[depth % colours.length];
      outline(box, shape.line, colour);
      const {x, y, side} = shape.own, line = shape.line;
      drawImage(depth, number, {x: x + line, y: y + line, side: side - 2 * line});
      outline(shape.own, line, colour);
      for (let k = 0; k < level.nodes; k++) {
        const child = numberAt(depth + 1, number * level.nodes + k);
        if (child !== undefined) drawNode(depth + 1, child, shape.child(k));
      }
    }
    function draw() {
      pen.clearRect(0, 0, canvas.width, canvas.height);
      drawNode(0, 0, view);
    }

    // The deepest node at a point: its code, its square, and whether it has an image there.
    function find(point) {
      let depth = 0, number = 0, box = view, code = prefix.slice();
      search: while (hasChildren(depth) && box.side >= 24) {
        const level = levels[depth], shape = geometry(depth, box);
        for (let k = 0; k < level.nodes; k++) {
          const inner = shape.child(k), child = numberAt(depth + 1, number * level.nodes + k);
          if (child === undefined || point.x < inner.x || point.y < inner.y || point.x > inner.x + inner.side ||
            point.y > inner.y + inner.side) continue;
          [depth, number, box] = [depth + 1, child, inner];
          code.push(k);
          continue search;
        }
        break;
      }
      return {code, box};
    }
    function zoom(point, factor) {
      const side = Math.min(Math.max(view.side * factor, 50), 1e7), ratio = side / view.side;
      view = {x: point.x - (point.x - view.x) * ratio, y: point.y - (point.y - view.y) * ratio, side};
      draw();
    }
    function show(box) {
      const side = Math.min(canvas.width, canvas.height) * .96, ratio = side / box.side;
      view = {
        x: (canvas.width - side) / 2 - (box.x - view.x) * ratio, y: (canvas.height - side) / 2 - (box.y - view.y) * ratio,
        side: view.side * ratio,
      };
      draw();
    }
    function resize() {
      pixels = window.devicePixelRatio || 1;
      canvas.width = canvas.clientWidth * pixels;
      canvas.height = canvas.clientHeight * pixels;
      show(view);
    }
    const pointers = new Map();
    function pointOf(event) { return {x: event.clientX * pixels, y: event.clientY * pixels}; }
    canvas.onpointerdown = event => {
      canvas.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, pointOf(event));
    };
    canvas.onpointerup = canvas.onpointercancel = event => pointers.delete(event.pointerId);
    canvas.onpointermove = event => {
      const point = pointOf(event), last = pointers.get(event.pointerId);
      caption.textContent = find(point).code.join(".") || "all";
      if (!last) return;
      const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
      pointers.set(event.pointerId, point);
      if (other) {
        const length = p => Math.max(1, Math.hypot(p.x - other.x, p.y - other.y));
        zoom(other, length(point) / length(last));
      } else {
        view.x += point.x - last.x;
        view.y += point.y - last.y;
        draw();
      }
    };
    canvas.onwheel = event => {
      event.preventDefault();
      zoom(pointOf(event), Math.exp(-event.deltaY * .002));
    };
    canvas.ondblclick = event => show(find(pointOf(event)).box);
    window.onkeydown = event => {
      const middle = {x: canvas.width / 2, y: canvas.height / 2}, step = canvas.width / 10;
      if (event.key === "0") return show(view);
      if (event.key === "+" || event.key === "=") return zoom(middle, 1.25);
      if (event.key === "-") return zoom(middle, .8);
      const move = {ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step]}[event.key];
      if (!move) return;
      view.x += move[0];
      view.y += move[1];
      draw();
    };
    window.onresize = resize;
    resize();
    </script>
    </html>

    """#
}
