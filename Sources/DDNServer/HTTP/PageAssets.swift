import DDNFiles
import Foundation
import Hummingbird

/// The page's files, read once: a request's path selects one of a table, and never a file.
struct PageAssets: Sendable {
  private struct Asset: Sendable {
    let type: String
    let data: Data
  }

  private let assets: [String: Asset]

  private static let files: [(path: String, file: String)] = [
    ("/", "index.html"), ("/style.css", "style.css"), ("/icon.svg", "icon.svg"), ("/app.js", "app.js"),
    ("/api.js", "api.js"), ("/elements.js", "elements.js"), ("/canvas.js", "canvas.js"), ("/draw.js", "draw.js"),
    ("/goals.js", "goals.js"), ("/tree.js", "tree.js"), ("/picture.js", "picture.js"), ("/train.js", "train.js"),
    ("/api/openapi.json", "openapi.json"),
  ]

  private static let types = [
    "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml", "json": "application/json; charset=utf-8",
  ]

  /// - Throws: `FileError` when the package's resources are incomplete.
  init() throws {
    let folder = Bundle.module.bundleURL.appendingPathComponent("page")
    var assets: [String: Asset] = [:]
    for (path, file) in Self.files {
      let url = folder.appendingPathComponent(file)
      assets[path] = Asset(type: Self.types[url.pathExtension]!, data: try Data(InputFile.map(url)))
    }
    self.assets = assets
  }

  var paths: [String] { assets.keys.sorted() }

  func response(_ path: String) -> Response {
    let asset = assets[path]!
    return Response(
      status: .ok, headers: [.contentType: asset.type, .cacheControl: "no-cache"],
      body: .init(byteBuffer: .init(data: asset.data)))
  }
}
