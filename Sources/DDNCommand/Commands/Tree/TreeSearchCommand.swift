import ArgumentParser
import DDN
import DDNCodes
import DDNData
import DDNFiles
import DDNPictures
import DDNTraining
import DDNTrees
import Foundation
import Images
import Torch

struct TreeSearchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "search",
    abstract: "Find the images of a data set that are nearest to a code or an image.",
    discussion: """
      Prints a line per found image: its name, its code, its class if the model has classes, the levels that its code \
      shares with the query, and with --by distance the mean squared error of its decoded image to the query, in units \
      of [-1, 1] squared. Ties are in the order of the data set.

      By prefix, codes that share the most levels come first; for images, only the code counts. By distance, the tree is \
      walked for the query: the --beams best prefixes that the data set has are kept from level to level. Distances are \
      exact; some near images may be missed, and --recall tells how many.

      For a class-conditional model the class is the first branch: a code is given with its class, as in 3.0.7:4; an \
      image's class is --class, and without it all classes are searched.

      Examples:
        ddn tree search --data mnist my-digit.png
        ddn tree search --codes reconstructed/codes.txt --by prefix 3.0.7.1.60.2.9.33.5.41
        ddn tree search --network cifar10 --seeds 0-999999 --by prefix 3.0.7:4
        ddn tree search --network mnist-k8-l3 --data mnist --count 2000 --recall 100
      """)

  enum Order: String, CaseIterable, ExpressibleByArgument { case prefix, distance }

  @Argument(help: "Codes, whole or partial, and image files.")
  var queries: [String] = []

  @OptionGroup var network: NetworkOption

  @Option(help: "The data set's codes: codes.txt of ddn reconstruct, or .ddn of ddn encode.", completion: .file())
  var codes: String?

  @OptionGroup var prior: PriorOption

  @Option(
    help: "The data set: zip file, tar archive or folder of images; of MNIST and CIFAR the training split.",
    completion: .file())
  var data: String?

  @Option(
    help: "Search among generated images: their seeds, such as 0-999999.", transform: SeedList.init(parsing:))
  var seeds: SeedList?

  @Option(
    parsing: .unconditional, help: "Images of the data set, from the first. (default: all)",
    transform: wholeNumber(atLeast: 1))
  var count: Int?

  @Option(help: "prefix or distance. (default: prefix for codes, distance for images)")
  var by: Order?

  @Option(parsing: .unconditional, help: "Images to find. (default: 10)", transform: wholeNumber(in: 1...100_000))
  var top = 10

  @Option(
    parsing: .unconditional, help: "Prefixes kept from level to level. (default: 64, or --top if more)",
    transform: wholeNumber(in: 1...100_000))
  var beams: Int?

  @Option(
    name: .customLong("class"), parsing: .unconditional,
    help: "Class of query images, for a class-conditional model. (default: any)", transform: wholeNumber(atLeast: 0))
  var classIndex: Int?

  @Option(
    parsing: .unconditional,
    help: """
      Instead of queries: search by distance for this many test images of --data, and compare with decoding all codes.
      """, transform: wholeNumber(in: 1...10_000))
  var recall: Int?

  @OptionGroup(title: "Machine") var machine: MachineOptions

  func run() throws {
    try checkOptions()
    let device = try machine.start()
    let model = try network.load(device: device)
    try model.check(classIndex: classIndex)
    let queries = try self.queries.map { try Query($0, model) }
    StopSignal.listen("stopping; Ctrl-C again after 3 seconds stops at once")
    let set = try SearchedSet(self, model)
    let walk = try TreeSearch(set.index, network: model.network, beams: max(beams ?? 64, top))
    if let recall {
      return try printRecall(of: walk, among: set.index.count, model, images: recall)
    }
    for query in queries {
      guard StopSignal.shouldContinue() else { throw Interrupted() }
      let start = ContinuousClock.now
      let found = try find(query, walk, set.index, model)
      let milliseconds = (ContinuousClock.now - start) / .milliseconds(1)
      Terminal.print(
        "\(query.text): \(counted(found.count, "image")) of \(set.index.count) in \(formatNumber(milliseconds, digits: 2)) ms"
      )
      for match in found { Terminal.print(line(match, query, set)) }
    }
  }

  private func checkOptions() throws {
    let sources = named([("--codes", codes != nil), ("--data", data != nil), ("--seeds", seeds != nil)])
    guard sources.count == 1 else {
      throw UsageError(
        sources.isEmpty
          ? "give the images to search: --data, --codes or --seeds"
          : "\(sources.joined(separator: " and ")) exclude each other; remove one")
    }
    if count != nil, data == nil { throw UsageError("--count needs --data") }
    if recall != nil, data == nil { throw UsageError("--recall needs --data") }
    if recall != nil, !queries.isEmpty { throw UsageError("--recall takes no queries; remove '\(queries[0])'") }
    if recall == nil, queries.isEmpty { throw UsageError("give a code or an image file to search for") }
  }

  /// A found image.
  private struct Found {
    let row: Int
    /// Nil by prefix.
    let distance: Double?
    /// That its code shares with the query's; nil for an image that was not encoded.
    let levels: Int?
  }

  private func find(_ query: Query, _ walk: TreeSearch, _ index: CodeIndex, _ model: Model) throws -> [Found] {
    func sharedLevels(_ row: Int, _ choices: some Sequence<Int>) -> Int {
      zip(index.entry(row).code.choices, choices).prefix { $0 == $1 }.count
    }
    switch by ?? (query.image == nil ? .prefix : .distance) {
    case .prefix:
      let path = try query.path(model, classIndex)
      let choices = path.dropFirst(model.network.classes > 0 ? 1 : 0)
      return index.nearest(to: path, count: top)
        .map { Found(row: $0.row, distance: nil, levels: sharedLevels($0.row, choices)) }
    case .distance:
      let choices = query.entry?.code.choices
      return try walk.nearest(to: query.target(model), classIndex: query.entry?.classIndex ?? classIndex, count: top)
        .map { match in
          Found(row: match.row, distance: match.distance, levels: choices.map { sharedLevels(match.row, $0) })
        }
    }
  }

  private func line(_ match: Found, _ query: Query, _ set: SearchedSet) -> String {
    let entry = set.index.entry(match.row)
    var words = [CodeList.line(name: set.name(match.row), entry.code, classIndex: entry.classIndex)]
    if let levels = match.levels {
      words.append("levels \(levels)")
    }
    if let distance = match.distance { words.append("distance \(formatNumber(distance, digits: 5))") }
    return words.joined(separator: "  ")
  }

  /// Compares the search for test images with decoding all codes.
  private func printRecall(of walk: TreeSearch, among count: Int, _ model: Model, images: Int) throws {
    guard count * model.network.imageShape.reduce(1, *) <= 1 << 29 else {
      throw UsageError("--recall decodes all \(count) images; give a smaller --count")
    }
    let targets = try TargetImages(
      [], data: data, resize: nil, count: images, defaultCount: images, of: model, device: model.network.device)
    var progress = ProgressLine(total: count, unit: "images")
    var recall = try SearchRecall(of: walk, top: top, classIndex: classIndex) { done in
      progress.show(done, "decoding")
      return StopSignal.shouldContinue()
    }
    progress.clear()
    progress = ProgressLine(total: targets.count, unit: "queries")
    for number in 0..<targets.count {
      guard StopSignal.shouldContinue() else { throw Interrupted() }
      try recall.add(targets.source.images(in: number..<number + 1).images)
      progress.show(number + 1)
    }
    progress.clear()
    Terminal.print(
      "\(images) queries among \(count) images, \(walk.beams) beams: "
        + "\(formatNumber(recall.found * 100, digits: 1)) % of the \(top) nearest found, the nearest in "
        + "\(formatNumber(recall.foundFirst * 100, digits: 1)) %; "
        + "\(formatNumber(recall.milliseconds, digits: 1)) ms a query")
  }
}

/// A code or an image to search for.
private struct Query {
  let text: String
  /// Nil for an image.
  let entry: CodeList.Entry?
  let image: Tensor?

  init(_ text: String, _ model: Model) throws {
    self.text = text
    let network = model.network
    let isCode = !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isNumber || ".:-".contains($0)) }
    if isCode, !FileManager.default.fileExists(atPath: text) {
      let entries = try CodeList(parsing: text, in: network.codeSpace, classes: network.classes).entries
      guard network.classes == 0 || entries[0].classIndex != nil else {
        throw UsageError("code \(text) has no class, but this model has classes; append it, as in \(text):0")
      }
      (entry, image) = (entries[0], nil)
    } else {
      entry = nil
      image = try PNG.read(URL(fileURLWithPath: text), fittedTo: network.imageShape).tensor().to(network.device)
    }
  }

  /// The steps of the query's code; an image is encoded.
  func path(_ model: Model, _ classIndex: Int?) throws -> [Int] {
    if let entry { return (entry.classIndex.map { [$0] } ?? []) + entry.code.choices }
    let network = model.network
    guard network.classes == 0 || classIndex != nil else {
      throw UsageError("the class of \(text) is needed to encode it; give it with --class, or search --by distance")
    }
    let classes = try classIndex.map { try Tensor([$0], shape: [1]).to(network.device) }
    let code = try Reconstruction(of: image!, by: network, classes: classes).codes[0]
    return (classIndex.map { [$0] } ?? []) + code.choices
  }

  /// `[1, C, H, W]`: the image, or that of the code.
  func target(_ model: Model) throws -> Tensor {
    if let image { return image }
    guard entry!.code.isComplete else {
      throw UsageError("code \(text) is partial and has no image to compare; give all levels, or search --by prefix")
    }
    return try model.network.decode([entry!.code], classes: entry!.classIndex.map { [$0] })
  }
}

/// The images that are searched.
private struct SearchedSet {
  let index: CodeIndex
  let name: (Int) -> String

  init(_ options: TreeSearchCommand, _ model: Model) throws {
    let network = model.network
    let codes: PathTable
    if let path = options.codes, let entries = try Self.entries(path, options, model) {
      codes = try PathTable(entries, in: network.codeSpace, classes: network.classes)
      name = { "\($0)" }
    } else if let path = options.codes {
      let file = try CodeLines(contentsOf: URL(fileURLWithPath: path), in: network.codeSpace, classes: network.classes)
      let names = file.names
      (codes, name) = (file.codes, { names[$0] })
    } else if let seeds = options.seeds?.seeds {
      (codes, name) = (PathTable(seeds: seeds, in: network.codeSpace, classes: network.classes), { "\(seeds[$0])" })
    } else {
      let targets = try TargetImages(
        [], data: options.data, split: .train, resize: nil, count: options.count, defaultCount: .max, of: model,
        device: network.device)
      codes = try encodeCodes(targets, by: network, precision: options.machine.precision ?? .float32)
      name = targets.name
    }
    Terminal.showLive("sorting \(codes.count) codes")
    index = CodeIndex(consume codes)
    Terminal.showLive("")
  }

  /// The codes of a `.ddn` file or of the original's; nil for lines of text, which are read without a copy of all codes.
  private static func entries(_ path: String, _ options: TreeSearchCommand, _ model: Model) throws
    -> [CodeList.Entry]?
  {
    let input = try CodeInput(path)
    guard !input.isText else { return nil }
    let usesPrior = try input.header?.usesPrior == true
    return try input.entries(
      of: model, prior: usesPrior ? options.prior.load(for: options.network, model) : nil, allowsPrefix: false)
  }
}
