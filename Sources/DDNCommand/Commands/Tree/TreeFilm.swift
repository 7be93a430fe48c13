import ArgumentParser
import DDNFiles
import DDNTraining
import Foundation
import Images

struct TreeFilm: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "film",
    abstract: "Make an animation of the trees that ddn train --film drew.",
    discussion: """
      Examples:
        ddn train --film --nodes 8 --levels 3 --tick 2
        ddn tree film runs/00000-mnist-test
        ddn tree film runs/00000-mnist-test --out tree.gif --milliseconds 200
      """)

  @Argument(help: "A run folder.", completion: .directory)
  var runFolder: String

  @Option(help: "WebP or GIF file, by its extension. (default: tree.webp in the run folder)", completion: .file())
  var out: String?

  @Flag(help: "Overwrite the file.")
  var overwrite = false

  @Option(
    parsing: .unconditional, help: "Duration of a frame in milliseconds. (default: 120)",
    transform: wholeNumber(in: 10...60_000))
  var milliseconds = 120

  @Option(
    parsing: .unconditional, help: "Frames, evenly spread over the run, at most. (default: 200)",
    transform: wholeNumber(in: 2...2000))
  var frames = 200

  func run() throws {
    let folder = try RunFolder.open(URL(fileURLWithPath: runFolder)).0
    let path = out ?? folder.url.appendingPathComponent("tree.webp").path
    guard let format = Animation.Format(rawValue: URL(fileURLWithPath: path).pathExtension.lowercased()) else {
      throw UsageError("--out \(path): the animation is a .webp or .gif file")
    }
    try checkOutput(path, overwrites: overwrite)
    let all = try Folder.names(in: folder.url).filter { $0.hasPrefix("tree-") && $0.hasSuffix(".png") }
    guard !all.isEmpty else {
      throw FileError(
        .missing, path: folder.url.path, problem: "has no pictures of the tree", remedy: "train with --film")
    }
    let names = all.count <= frames ? all : (0..<frames).map { all[$0 * (all.count - 1) / (frames - 1)] }
    StopSignal.listen("stopping; Ctrl-C again after 3 seconds stops at once")
    var pictures: [Bitmap] = []
    for name in names {
      if StopSignal.shouldStop() { throw Interrupted() }
      let picture = try PNG.read(folder.url.appendingPathComponent(name), channels: .rgb)
      if let first = pictures.first, (first.width, first.height) != (picture.width, picture.height) {
        throw FileError(
          .invalid, path: folder.url.appendingPathComponent(name).path,
          problem: "is \(picture.summary), and the first picture \(first.summary)", remedy: "remove it")
      }
      pictures.append(picture)
      Terminal.showLive("reading picture \(pictures.count) of \(names.count)")
    }
    Terminal.showLive("encoding \(counted(pictures.count, "frame"))")
    try Animation(pictures, milliseconds: milliseconds).write(format, to: URL(fileURLWithPath: path))
    Terminal.showLive("")
    Terminal.print(
      "\(path): \(counted(pictures.count, "frame")) of \(pictures[0].width) x \(pictures[0].height) pixels")
  }
}
