import HTTPTypes
import Hummingbird

/// All pages of the server.
struct PageRoutes: Sendable {
  let limits: ServerLimits
  let assets: PageAssets
  let models: ModelRequests
  let cards: [ModelCard]
  let training: TrainingReader?
  let checks: RequestChecks
  let errors: ErrorBodies

  /// The answer to the first request of a page.
  private struct Overview: Encodable {
    struct Limits: Encodable {
      let bodyBytes, pixels, samples, guides, textLength: Int
    }

    let models: [ModelCard]
    let hasTraining: Bool
    let limits: Limits
  }

  private struct Status: Encodable {
    /// Requests at work and waiting.
    let queue: Int
    let capacity: Int
  }

  func router() -> Router<PageContext> {
    let router = Router(context: PageContext.self, options: .autoGenerateHeadEndpoints)
    router.add(middleware: errors)
    router.add(middleware: checks)
    for path in assets.paths { router.get(RouterPath(path)) { _, _ in assets.response(path) } }
    router.get("/api/models") { _, _ in
      try Response(
        json: Overview(
          models: cards, hasTraining: training != nil,
          limits: .init(
            bodyBytes: limits.bodyBytes, pixels: limits.pixels, samples: limits.samples, guides: limits.guides,
            textLength: limits.textLength)))
    }
    router.get("/api/status") { _, _ in
      try Response(json: Status(queue: models.queue.length, capacity: limits.waiting))
    }
    addPictures(to: router)
    addTree(to: router)
    addTraining(to: router)
    refuseOtherMethods(on: router)
    return router
  }

  /// Pages answer a method that they lack with the ones that they have.
  private func refuseOtherMethods(on router: Router<PageContext>) {
    for routes in Dictionary(grouping: router.routes, by: \.path.description).values {
      let own = routes.map(\.method)
      var refusal = RequestError(
        .methodNotAllowed, "this page answers \(own.map(\.rawValue).joined(separator: " and ")) requests only")
      refusal.allowedMethods = own + (own.contains(.get) ? [.head] : [])
      for method in [HTTPRequest.Method.get, .post, .put, .patch, .delete, .options] where !own.contains(method) {
        router.on(routes[0].path, method: method) { [refusal] _, _ -> Response in throw refusal }
      }
    }
  }

  private func addPictures(to router: Router<PageContext>) {
    router.post("/api/draw") { request, context in
      var request = request
      let drawing = try await request.json(DrawRequest.self, limits)
      try drawing.validate(limits)
      return try await models.stream(request, context) { worker, events in
        try await worker.draw(drawing) { events.send("level", $0) }
      }
    }
    router.post("/api/encode") { request, context in
      var request = request
      let encoding = try await request.json(EncodeRequest.self, limits)
      try encoding.validate()
      return try await models.stream(request, context) { worker, events in
        try await worker.encode(encoding) { step in
          switch step {
          case .target(let target): events.send("target", target)
          case .level(let level): events.send("level", level)
          }
        }
      }
    }
    router.post("/api/decode") { request, context in
      var request = request
      let file = try await request.json(DecodeRequest.self, limits)
      return try Response(json: try await models.answer(context) { try await $0.decode(file) })
    }
  }

  private func addTree(to router: Router<PageContext>) {
    router.get("/api/choices") { request, context in
      let place = try request.treePlace()
      return try Response(json: try await models.answer(context) { try await $0.choices(at: place) })
    }
    router.get("/api/tree") { request, context in
      let place = try request.treePlace()
      let size = try request.number("size", in: 64...2048) ?? 1024
      return try Response(json: try await models.answer(context) { try await $0.overview(of: place, size: size) })
    }
    router.get("/api/picture") { request, context in
      let place = try request.treePlace()
      let zoom = try request.number("zoom", in: 1...16) ?? 1
      return Response(png: try await models.answer(context) { try await $0.picture(of: place, zoom: zoom) })
    }
  }

  private func addTraining(to router: Router<PageContext>) {
    @Sendable func reader() throws(RequestError) -> TrainingReader {
      guard let training else {
        throw RequestError(.notFound, "no training is shown; start ddn serve with --run and a run folder")
      }
      return training
    }
    router.get("/api/training") { _, _ in try Response(json: try await reader().report()) }
    router.get("/api/training/samples") { request, _ in
      guard let images = try request.number("images", in: 0...Int.max) else {
        throw RequestError.malformed("images is missing")
      }
      return Response(png: try await reader().samples(images: images))
    }
  }
}
