import ArgumentParser
import DDN
import DDNFiles
import DDNModels
import DDNServer
import Dispatch
import Foundation
import Synchronization
import Torch

struct Serve: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serve a page to draw, walk through the tree, encode pictures and watch a training.",
    discussion: """
      Draw strokes, or paint what is to be kept of a picture, and twelve samples that fit sharpen level by level; walk \
      through a model's tree, choice by choice; see a picture become a code, and its bytes beside WebP's and AVIF's; watch \
      a ddn train. The page needs nothing but this command and a browser. Under it is a JSON API, which /api/openapi.json \
      describes.

      It is reached from this machine alone, unless --host says otherwise. Nothing is stored. Ctrl-C ends it when \
      requests at work are finished.

      Examples:
        ddn serve                                        all shipped models, at http://127.0.0.1:8080
        ddn serve --network faces64 --network runs/00003-flowers
        ddn serve --run runs/00000-mnist                 watch a training
        ddn serve --clip clip-vit-base-patch32           texts guide colour models
        ddn serve --host 0.0.0.0 --name pictures.example.org --rate 60
      """)

  @Option(
    name: .customLong("network"),
    help: .init(
      """
      A shipped model, a .safetensors file, or a run folder; may be given several times. A prior beside it is used. \
      (default: all shipped models)
      """, valueName: "name|file|folder"), completion: .file())
  var networks: [String] = []

  @Option(
    name: .customLong("run"), help: .init("A run folder of ddn train to watch.", valueName: "folder"),
    completion: .directory)
  var runFolder: String?

  @Option(
    help: .init(
      "CLIP's weights, for guides of texts: a folder in Hugging Face's format, or a state dictionary.",
      valueName: "folder|file"), completion: .file())
  var clip: String?

  @Option(help: "CLIP's vocabulary. (default: beside the weights)", completion: .file())
  var vocabulary: String?

  @Option(help: "The address to listen at; 0.0.0.0 is reached from other machines.")
  var host = "127.0.0.1"

  @Option(parsing: .unconditional, help: "The port; 0 takes a free one.", transform: wholeNumber(in: 0...65_535))
  var port = 8080

  @Option(
    name: .customLong("name"),
    help: "A name under which browsers reach it, beside localhost and addresses; may be given several times.")
  var names: [String] = []

  @OptionGroup(title: "Limits") var limits: ServeLimits

  @OptionGroup(title: "Machine") var machine: MachineOptions

  func validate() throws {
    if vocabulary != nil, clip == nil { throw ValidationError("--vocabulary is for --clip, which is not given") }
  }

  func run() throws {
    signal(SIGPIPE, SIG_IGN)  // Clients go at any time.
    let device = try machine.start()
    var options = PageServer.Options()
    options.host = host
    options.port = port
    options.names = names
    options.models = try sources()
    options.clip = clip.map { path in
      CLIPSource(weights: URL(fileURLWithPath: path), vocabulary: vocabulary.map { URL(fileURLWithPath: $0) })
    }
    options.run = runFolder.map { URL(fileURLWithPath: $0) }
    options.device = device
    options.limits = limits.values
    try Self.wait { [options] in
      let server = try await PageServer(options) { Terminal.printError("ddn serve: \($0)") }
      try await server.run { port in
        let shown = options.host == "0.0.0.0" || options.host == "::" ? "127.0.0.1" : options.host
        Terminal.print("http://\(shown.contains(":") ? "[\(shown)]" : shown):\(port)")
        if !PageServer.isLoopback(options.host) {
          Terminal.printError("note: other machines reach this server; it has limits, but no passwords")
        }
      }
    }
  }

  /// The models by name.
  private func sources() throws -> [ModelSource] {
    var sources: [ModelSource] = []
    for network in networks.isEmpty ? Model.shippedNames : networks {
      var option = NetworkOption()
      option.network = network
      let url = option.url
      guard FileManager.default.fileExists(atPath: url.path) else {
        throw FileError(
          .missing, path: network, problem: "no such model",
          remedy: "give a file, a run folder, or one of \(Model.shippedNames.joined(separator: ", "))")
      }
      let file = url.deletingPathExtension().lastPathComponent
      let name = file == "model" ? url.deletingLastPathComponent().lastPathComponent : file
      guard !sources.contains(where: { $0.name == name }) else {
        throw UsageError("--network \(network): there are two models with the name \(name); rename a file or folder")
      }
      sources.append(ModelSource(name: name, url: url))
    }
    return sources
  }

  /// Runs asynchronous work; the main thread waits.
  private static func wait(_ work: @escaping @Sendable () async throws -> Void) throws {
    let done = DispatchSemaphore(value: 0)
    let failure = Mutex<(any Error)?>(nil)
    Task.detached {
      do { try await work() } catch { failure.withLock { $0 = error } }
      done.signal()
    }
    done.wait()
    if let error = failure.withLock({ $0 }) { throw error }
  }
}

/// What a request and a client of `ddn serve` may take.
struct ServeLimits: ParsableArguments {
  private static let usual = ServerLimits()

  @Option(
    parsing: .unconditional, help: "MiB of a request's body. (default: \(usual.bodyBytes >> 20))",
    transform: wholeNumber(in: 1...1024))
  var maxBody = usual.bodyBytes >> 20

  @Option(
    parsing: .unconditional, help: "Million pixels of a picture. (default: \(usual.pixels >> 20))",
    transform: wholeNumber(in: 1...64))
  var maxPixels = usual.pixels >> 20

  @Option(
    parsing: .unconditional,
    help: "Requests of an address in a minute; 0 for any number. (default: \(usual.requestsPerMinute))",
    transform: wholeNumber(in: 0...1_000_000))
  var rate = usual.requestsPerMinute

  @Option(
    parsing: .unconditional, help: "Requests that may be at work or wait for the models. (default: \(usual.waiting))",
    transform: wholeNumber(in: 1...100_000))
  var queue = usual.waiting

  @Option(
    parsing: .unconditional, help: "Seconds of work on a request. (default: \(Int(usual.workSeconds)))",
    transform: number(to: 86_400, isOpen: true))
  var seconds = usual.workSeconds

  @Option(
    parsing: .unconditional, help: "Connections at once; more wait. (default: \(usual.connections))",
    transform: wholeNumber(in: 1...100_000))
  var connections = usual.connections

  var values: ServerLimits {
    var limits = ServerLimits()
    limits.bodyBytes = maxBody << 20
    limits.pixels = maxPixels << 20
    limits.requestsPerMinute = rate
    limits.waiting = queue
    limits.workSeconds = seconds
    limits.connections = connections
    return limits
  }
}
