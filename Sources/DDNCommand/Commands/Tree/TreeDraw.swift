import ArgumentParser
import DDN
import DDNData
import DDNFiles
import DDNPictures
import DDNTraining
import DDNTrees
import Foundation
import Images
import Torch

struct TreeDraw: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "draw",
    abstract: "Draw the tree as recursive grids: the paper's Figures 8 and 17.",
    discussion: """
      Each image with a coloured border lies in the middle of the images that refine it, enclosed by the same colour; \
      the small images without border are the last ones. In the middle of all is the mean of the first level's images. \
      Levels that are too small to make out are left out.

      With --data, subtrees that no image of the data set has are left out, and rarely used ones are pale.

      Examples:
        ddn tree draw --network mnist-k8-l3
        ddn tree draw --network mnist-k8-l3 --data mnist --size 2048 --out used.png
        ddn tree draw --network mnist --root 3.0 --out tree.svg
        ddn tree draw --network faces64 --class 1 --levels 2 --page tree.html
      """)

  @OptionGroup var network: NetworkOption

  @Option(help: "PNG or SVG file, by its extension. (default: tree.png, unless --page is given)", completion: .file())
  var out: String?

  @Option(help: "HTML file to zoom into the tree; it needs no other files.", completion: .file())
  var page: String?

  @Flag(help: "Overwrite the files.")
  var overwrite = false

  @Option(
    parsing: .unconditional, help: "Pixels on a side of the picture, at most. (default: 1024)",
    transform: wholeNumber(in: 32...8192))
  var size = 1024

  @Option(
    parsing: .unconditional,
    help: "Levels below the root. (default: as many as fit the picture, and \(Self.pageNodes) nodes in the page)",
    transform: wholeNumber(atLeast: 1))
  var levels: Int?

  @Option(
    help: .init("A partial code whose subtree is drawn, such as 3.0. (default: the whole tree)", valueName: "code"))
  var root: String?

  @Option(
    name: .customLong("class"), parsing: .unconditional,
    help: "Class whose tree is drawn, for a class-conditional model. (default: 0)", transform: wholeNumber(atLeast: 0))
  var classIndex: Int?

  @Option(
    help: "Images that choose: zip file, tar archive or folder; of MNIST and CIFAR the training split.",
    completion: .file())
  var data: String?

  @Option(
    parsing: .unconditional, help: "Images of the data set, from the first. (default: 10000, or all if fewer)",
    transform: wholeNumber(atLeast: 1))
  var count: Int?

  @OptionGroup(title: "Machine") var machine: MachineOptions

  /// Nodes of a page without `--levels`, at most; with it, ten times as many.
  private static let pageNodes = 20_000
  private static let mostNodes = 200_000.0

  private enum Format: String { case png, svg }

  func run() throws {
    let picturePath = out ?? (page == nil ? "tree.png" : nil)
    let format = try picturePath.map { path in
      guard let format = Format(rawValue: URL(fileURLWithPath: path).pathExtension.lowercased()) else {
        throw UsageError("--out \(path): the picture is a .png or .svg file; --page writes an .html file")
      }
      return format
    }
    if let page, !["html", "htm"].contains(URL(fileURLWithPath: page).pathExtension.lowercased()) {
      throw UsageError("--page \(page): the page is an .html file; --out writes a .png or .svg picture")
    }
    if count != nil, data == nil { throw UsageError("--count needs --data") }
    for path in [picturePath, page].compactMap({ $0 }) { try checkOutput(path, overwrites: overwrite) }
    let device = try machine.start()
    let model = try network.load(device: device)
    try model.check(classIndex: classIndex)
    let space = model.network.codeSpace
    let prefix = try parseRoot(space)
    let below = space.levels.count - prefix.count
    if let levels, levels > below {
      throw UsageError(
        "--levels \(levels): there are \(counted(below, "level")) below \(root.map { "code \($0)" } ?? "the root")")
    }
    let classIndex = model.network.classes > 0 ? classIndex ?? 0 : nil
    let ofClass = classIndex.map { ", class \($0)" } ?? ""
    let nodes = space.levels[prefix.count..<prefix.count + (levels ?? below)].map(\.nodes)
    let layout = TreeLayout(nodes: nodes, size: size)

    StopSignal.listen("stopping; Ctrl-C again after 3 seconds stops at once")
    let index = try data.map { try encode($0, model) }
    let images = try TreeImages(model.network, classIndex: classIndex, index: index)
    let pageLevels =
      page == nil ? 0 : levelsOfPage(space, depth: prefix.count, below: below, codes: index?.count)
    let shown = max(picturePath == nil ? 0 : layout.levels, pageLevels)
    try check(space, depth: prefix.count, levels: shown, codes: index?.count)
    let tree = try compute(images, prefix, levels: shown)
    if let picturePath, let format {
      let picture = TreePicture(tree, layout)
      let url = URL(fileURLWithPath: picturePath)
      func show(_ nodes: Int) throws {
        guard StopSignal.shouldContinue() else { throw JobStopped() }
        if nodes % 256 == 0 { Terminal.showLive("painting the tree: \(nodes) of \(tree.count) nodes") }
      }
      defer { Terminal.showLive("") }
      switch format {
      case .png: try picture.bitmap(progress: show).write(to: url)
      case .svg: try AtomicFile.write(Data(picture.svg(progress: show).utf8), to: url)
      }
      Terminal.showLive("")
      Terminal.print(
        "\(picturePath): \(layout.side) x \(layout.side) pixels, \(counted(layout.levels, "level"))\(ofClass)")
      if layout.levels < nodes.count {
        Terminal.printError(
          "note: \(counted(nodes.count - layout.levels, "deeper level")) would be too small in \(size) pixels; give a "
            + "larger --size, a subtree with --root, or --page")
      }
    }
    guard let page else { return }
    let title = "\(network.network)\(ofClass)\(root.map { ", code \($0)" } ?? "")"
    try AtomicFile.write(Data(TreePage(tree, title: title, prefix: prefix).html().utf8), to: URL(fileURLWithPath: page))
    Terminal.print("\(page): \(tree.count) nodes, \(counted(pageLevels, "level"))")
    if pageLevels < (levels ?? below) {
      Terminal.printError(
        "note: \(counted(below - pageLevels, "deeper level")) would be more than \(Self.pageNodes) nodes; "
          + "--levels adds them, --root shows a subtree")
    }
  }

  private func parseRoot(_ space: CodeSpace) throws -> [Int] {
    guard let root else { return [] }
    let code = try LatentCode(parsing: root, in: space)
    guard !code.isComplete else {
      throw UsageError("--root \(root) is an image, not a subtree; leave out its last choice")
    }
    return code.choices
  }

  /// The levels of a page without `--levels`: as many as have few enough nodes.
  private func levelsOfPage(_ space: CodeSpace, depth: Int, below: Int, codes: Int?) -> Int {
    if let levels { return levels }
    var shown = 1
    while shown < below,
      TreeImages.nodeCount(space, depth: depth, levels: shown + 1, codes: codes) <= Double(Self.pageNodes)
    {
      shown += 1
    }
    return shown
  }

  private func check(_ space: CodeSpace, depth: Int, levels: Int, codes: Int?) throws {
    let nodes = TreeImages.nodeCount(space, depth: depth, levels: levels, codes: codes)
    guard nodes > Self.mostNodes else { return }
    throw UsageError(
      "\(counted(levels, "level")) have \(nodes < 1e15 ? String(Int(nodes)) : "too many") nodes, more than \(Int(Self.mostNodes)); "
        + "give fewer --levels, a subtree with --root, or --data for the used ones")
  }

  private func compute(_ images: TreeImages, _ prefix: [Int], levels: Int) throws -> TreeNode {
    var done = 0
    Terminal.showLive("computing the tree")
    defer { Terminal.showLive("") }
    return try images.tree(prefix: prefix, levels: levels) { nodes in
      done += nodes
      Terminal.showLive("computing the tree: \(done) nodes")
      return StopSignal.shouldContinue()
    }
  }

  /// The codes of a data set's images.
  private func encode(_ data: String, _ model: Model) throws -> CodeIndex {
    let targets = try TargetImages(
      [], data: data, split: .train, resize: nil, count: count, defaultCount: 10_000, of: model,
      device: model.network.device)
    return CodeIndex(try encodeCodes(targets, by: model.network, precision: machine.precision ?? .float32))
  }
}

/// The codes of images, with a progress line.
func encodeCodes(
  _ targets: TargetImages, by network: any DiscreteDistributionNetwork, precision: Precision,
  batch: Int = EncodingJob.defaultBatch
) throws -> PathTable {
  var codes = PathTable(network.codeSpace, classes: network.classes)
  var progress = ProgressLine(total: targets.count, unit: "images")
  defer { progress.clear() }
  let job = EncodingJob(targets.source, count: targets.count, by: network, precision: precision, batchSize: batch)
  try job.run(shouldContinue: StopSignal.shouldContinue) { range, result in
    for (place, code) in result.reconstruction.codes.enumerated() {
      try codes.append(code, classIndex: result.classes?[place])
    }
    progress.show(range.upperBound, "encoding")
  }
  return codes
}
