import DDN
import DDNModels
import DDNPictures
import Foundation
import GoldenSupport
import Images
import Synchronization
import Testing
import Torch

@testable import DDNServer

@Suite("The models' work on requests") struct ModelWorkerTests {
  /// Machines may be busy.
  private static var patient: ServerLimits {
    var limits = ServerLimits()
    limits.workSeconds = 1200
    return limits
  }

  private static func worker(
    _ names: String..., limits: ServerLimits = patient
  ) async throws -> (ModelWorker, [ModelCard]) {
    let worker = ModelWorker(limits: limits)
    let sources = names.map { ModelSource(name: $0, url: Model.shippedURL($0)) }
    return (worker, try await worker.load(sources, clip: nil, device: .cpu))
  }

  private static func request<T: Decodable>(_ type: T.Type, _ json: String) throws -> T {
    try JSONDecoder().decode(type, from: Data(json.utf8))
  }

  /// A picture whose left half is white.
  private static func leftHalf() throws -> String {
    let pixels = (0..<32 * 32).map { UInt8($0 % 32 < 16 ? 255 : 0) }
    return try Bitmap(width: 32, height: 32, channels: 1, pixels: pixels).dataURL()
  }

  @Test("cards tell what models take") func cards() async throws {
    let (_, cards) = try await Self.worker("mnist", "cifar10", "faces64", "mnist-k8-l3")
    #expect(cards.map(\.name) == ["mnist", "cifar10", "faces64", "mnist-k8-l3"])
    #expect(cards[0].classes == (0..<10).map(String.init) && !cards[0].needsClass && cards[0].guides.contains("class"))
    #expect(cards[1].classes.contains("frog") && cards[1].needsClass && !cards[1].guides.contains("class"))
    #expect(cards[1].guides.contains("gray") && !cards[1].guides.contains("clip"))
    #expect(cards[2].classes.count == 2 && cards[2].side == 64)
    #expect(cards[3].levels.map(\.nodes) == [8, 8, 8] && cards[3].bits == 9)
  }

  @Test("samples sharpen level by level, are those of their codes, and do not depend on their number")
  func samples() async throws {
    let (worker, _) = try await Self.worker("mnist")
    let seen = Mutex<[DrawnLevel]>([])
    let drawing = try Self.request(DrawRequest.self, #"{"model": "mnist", "seeds": [3, 4, 5]}"#)
    let drawn = try await worker.draw(drawing) { level in seen.withLock { $0.append(level) } }
    let levels = seen.withLock { $0 }
    #expect(levels.map(\.level) == Array(1...10) && levels.allSatisfy { $0.of == 10 && $0.images.count == 3 })
    #expect(levels.last!.images == drawn.samples.map(\.picture))
    #expect(Set(levels.map { $0.images[0] }).count == 10)
    let alone = try await worker.draw(Self.request(DrawRequest.self, #"{"model": "mnist", "seeds": [5]}"#)) { _ in }
    #expect(alone.samples[0].code == drawn.samples[2].code && alone.samples[0].picture == drawn.samples[2].picture)
    let png = try await worker.picture(of: .init(model: "mnist", code: drawn.samples[1].code, classIndex: nil), zoom: 1)
    #expect(try PNG.decode(png) == Self.bitmap(drawn.samples[1].picture))
  }

  @Test("a start is kept, with guides and without") func start() async throws {
    let (worker, _) = try await Self.worker("mnist", "mnist-k8-l5")
    for (model, prefix) in [("mnist", "7.3.1"), ("mnist-k8-l5", "7.3")] {
      let picture = try Self.leftHalf()
      for guides in ["[]", #"[{"kind": "sr", "side": 4, "image": "\#(picture)"}]"#] {
        let drawing = try Self.request(
          DrawRequest.self,
          #"{"model": "\#(model)", "start": "\#(prefix)", "seeds": [1, 2, 3, 4], "guides": \#(guides)}"#)
        let codes = try await worker.draw(drawing) { _ in }.samples.map(\.code)
        #expect(codes.allSatisfy { $0.hasPrefix(prefix + ".") } && Set(codes).count > 1, "\(model) \(guides) \(codes)")
      }
    }
  }

  @Test("a guide pulls samples to what it knows, and a mask needs transparency") func guides() async throws {
    let (worker, _) = try await Self.worker("mnist")
    let own = try await worker.draw(Self.request(DrawRequest.self, #"{"model": "mnist", "seeds": [9]}"#)) { _ in }
    let picture = own.samples[0].picture
    let goal = try Self.bitmap(picture).tensor()
    func error(_ guides: String) async throws -> Double {
      let drawing = try Self.request(
        DrawRequest.self, #"{"model": "mnist", "seeds": [1, 2, 3, 4], "guides": \#(guides)}"#)
      let samples = try await worker.draw(drawing) { _ in }.samples
      return try samples.map { try (Self.bitmap($0.picture).tensor() - goal).squared().mean().item() }.reduce(0, +) / 4
    }
    await #expect(throws: ImageError.self) {
      _ = try await error(#"[{"kind": "mask", "image": "\#(picture)", "mask": "\#(picture)"}]"#)
    }
    let guided = try await error(#"[{"kind": "sr", "side": 16, "image": "\#(picture)"}]"#)
    #expect(try await guided < 0.5 * error("[]"))
  }

  @Test("the choices at a place are those that follow its code") func choices() async throws {
    let (worker, _) = try await Self.worker("mnist-k8-l3")
    func choices(_ code: String?) async throws -> TreeChoices {
      try await worker.choices(at: .init(model: "mnist-k8-l3", code: code, classIndex: nil))
    }
    let root = try await choices(nil)
    #expect(root.path.isEmpty && root.candidates.count == 8 && root.level == 0 && root.of == 3)
    let second = try await choices("6")
    let leaf = try await choices("6.1.4")
    #expect(second.path == [root.candidates[6]] && leaf.candidates.isEmpty && leaf.level == 3)
    #expect(leaf.path[..<2] == [root.candidates[6], second.candidates[1]])
    await #expect(throws: LatentCodeError.self) { _ = try await choices("8") }
    await #expect(throws: LatentCodeError.self) { _ = try await choices("1.1.1.1") }
  }

  @Test("the overview has the whole tree, and where its nodes are") func overview() async throws {
    let (worker, _) = try await Self.worker("mnist-k8-l3")
    let place = TreePlace(model: "mnist-k8-l3", code: nil, classIndex: nil)
    let tree = try await worker.overview(of: place, size: 1024)
    #expect(tree.grids.map { $0.cells.count } == [8, 8, 8] && tree.side <= 1024)
    #expect(try Self.bitmap(tree.picture).width == tree.side)
    let below = try await worker.overview(of: .init(model: "mnist-k8-l3", code: "3.1", classIndex: nil), size: 256)
    #expect(below.grids.count == 1)
    await #expect(throws: RequestError.self) {
      _ = try await worker.overview(of: .init(model: "mnist-k8-l3", code: "3.1.0", classIndex: nil), size: 256)
    }
  }

  @Test("a picture's file decodes to its last level, with a prior and a class as well") func pictures() async throws {
    let (worker, _) = try await Self.worker("mnist", "faces64", "cifar10")
    for (model, number) in [("mnist", "null"), ("faces64", "1"), ("cifar10", "3")] {
      let seen = Mutex<[EncodedLevel]>([])
      let picture = try Self.leftHalf()
      let encoding = try Self.request(
        EncodeRequest.self, #"{"model": "\#(model)", "class": \#(number), "picture": "\#(picture)"}"#)
      let encoded = try await worker.encode(encoding) { step in
        if case .level(let level) = step { seen.withLock { $0.append(level) } }
      }
      let levels = seen.withLock { $0 }
      #expect(levels.last!.psnr > levels.first!.psnr && encoded.picture == levels.last!.image)
      #expect(encoded.rivals.map(\.name) == ["WebP", "AVIF"] && encoded.rivals.allSatisfy { $0.bytes > encoded.bytes })
      let decoding = try Self.request(DecodeRequest.self, #"{"file": "\#(encoded.file)"}"#)
      let decoded = try await worker.decode(decoding)
      #expect(decoded.code == encoded.code && decoded.model == model && decoded.class == encoded.class)
      #expect(decoded.levels == levels.map(\.image))
      let better = try Self.request(
        EncodeRequest.self, #"{"model": "\#(model)", "class": \#(number), "picture": "\#(picture)", "beams": 4}"#)
      #expect(try await worker.encode(better) { _ in }.psnr > encoded.psnr - 1, "\(model)")
    }
  }

  @Test("a text guides a colour model, the same each time, and one that CLIP cannot read is refused")
  func texts() async throws {
    let scratch = try ScratchFolder()
    try SafetensorsFile.write(Formula.weights("clip.huggingface"), to: scratch.file("model.safetensors"))
    try scratch.copy("vision/vocab.json", as: "vocab.json")
    try scratch.copy("vision/merges.txt", as: "merges.txt")
    let worker = ModelWorker(limits: Self.patient)
    let sources = ["cifar10", "mnist-k8-l3"].map { ModelSource(name: $0, url: Model.shippedURL($0)) }
    let cards = try await worker.load(sources, clip: CLIPSource(weights: scratch.url), device: .cpu)
    #expect(cards[0].guides.contains("clip") && !cards[1].guides.contains("clip"))
    func codes(_ text: String) async throws -> [String] {
      let drawing = try Self.request(
        DrawRequest.self,
        #"{"model": "cifar10", "class": 1, "seeds": [1], "guides": [{"kind": "clip", "text": "\#(text)"}]}"#)
      return try await worker.draw(drawing) { _ in }.samples.map(\.code)
    }
    let smiling = try await codes("a smiling person")
    #expect(try await codes("a smiling person") == smiling)
    #expect(try await codes("1234 photos") != smiling)
    let error = await #expect(throws: RequestError.self) { _ = try await codes(String(repeating: "1", count: 76)) }
    #expect(error?.message.contains("has 76 tokens") == true)
    let gray = try Self.request(
      DrawRequest.self, #"{"model": "mnist-k8-l3", "guides": [{"kind": "clip", "text": "seven"}]}"#)
    await #expect(throws: RequestError.self) { _ = try await worker.draw(gray) { _ in } }
  }

  @Test("work ends when its time is up or its task is cancelled") func limits() async throws {
    var limits = ServerLimits()
    limits.workSeconds = 0.02
    let (hasty, _) = try await Self.worker("faces64", limits: limits)
    let drawing = try Self.request(DrawRequest.self, #"{"model": "faces64", "class": 0}"#)
    let error = await #expect(throws: RequestError.self) { _ = try await hasty.draw(drawing) { _ in } }
    #expect(error?.status.code == 503)
    let (worker, _) = try await Self.worker("faces64")
    let task = Task { try await worker.draw(drawing) { _ in withUnsafeCurrentTask { $0?.cancel() } } }
    await #expect(throws: CancellationError.self) { _ = try await task.value }
    _ = try await worker.draw(drawing) { _ in }
  }

  @Test(
    "requests that do not fit are refused",
    arguments: [
      #"{"model": "mnist", "class": 3}"#, #"{"model": "mnist", "seeds": []}"#,
      #"{"model": "mnist", "start": "64"}"#, #"{"model": "mnist", "start": "x"}"#,
      #"{"model": "mnist", "guides": [{"kind": "class"}]}"#,
      #"{"model": "mnist", "guides": [{"kind": "class", "class": 10}]}"#,
      #"{"model": "mnist", "guides": [{"kind": "clip", "text": "seven"}]}"#,
      #"{"model": "mnist", "guides": [{"kind": "strokes", "image": "AAAA"}]}"#,
      #"{"model": "mnist", "guides": [{"kind": "class", "class": 1, "weight": 0}]}"#,
      #"{"model": "mnist", "temperature": 0}"#, #"{"model": "mnist", "top": 0}"#,
      #"{"model": "mnist", "guides": [{"kind": "gray", "image": "AAAA"}]}"#,
    ])
  func refusals(_ json: String) async throws {
    let (worker, _) = try await Self.worker("mnist")
    let drawing = try Self.request(DrawRequest.self, json)
    do {
      try drawing.validate(ServerLimits())
      _ = try await worker.draw(drawing) { _ in }
      Issue.record("\(json) is accepted")
    } catch {
      #expect(RequestError(error)?.status.code == 422, "\(error)")
    }
  }

  @Test("pictures with too many pixels are refused before they are decoded") func pixels() async throws {
    var limits = ServerLimits()
    limits.pixels = 900
    let (worker, _) = try await Self.worker("mnist", limits: limits)
    let picture = try Self.leftHalf()
    let encoding = try Self.request(EncodeRequest.self, #"{"model": "mnist", "picture": "\#(picture)"}"#)
    let error = await #expect(throws: RequestError.self) { _ = try await worker.encode(encoding) { _ in } }
    #expect(error?.message.contains("32 x 32 pixels is too large") == true)
  }

  private static func bitmap(_ url: String) throws -> Bitmap {
    try PNG.decode(Data(base64Encoded: String(url.dropFirst("data:image/png;base64,".count)))!)
  }
}
