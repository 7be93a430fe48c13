import ArgumentParser
import DDNFiles
import DDNGuidance
import Foundation
import Images

struct GuideList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Describe the guides, and draw the built-in masks.",
    discussion: """
      Examples:
        ddn guide list
        ddn guide list sr mask
        ddn guide list --masks masks.png
      """)

  @Argument(help: "Names of guides; none for all.", completion: .list(GuideKind.all.map(\.name)))
  var names: [String] = []

  @Option(help: "PNG file to draw the built-in masks to.")
  var masks: String?

  @Flag(help: "Overwrite the file.")
  var overwrite = false

  func run() throws {
    if let masks {
      try checkOutput(masks, overwrites: overwrite)
      try Self.drawMasks().write(to: URL(fileURLWithPath: masks))
      Terminal.print(masks)
      if names.isEmpty { return }
    }
    for name in names where !GuideKind.all.contains(where: { $0.name == name }) {
      throw UsageError("there is no guide '\(name)'; guides are \(GuideKind.all.map(\.name).joined(separator: ", "))")
    }
    for kind in GuideKind.all where names.isEmpty || names.contains(kind.name) {
      Terminal.print("\(kind.name)  \(kind.summary)")
      if let value = kind.value { Terminal.print("    value: \(value)") }
      for option in kind.options { Terminal.print("    \(option.name)=  \(option.meaning)") }
      Terminal.print("    chosen among the best \(kind.top) by default; example: --guide \(kind.example)")
    }
    guard names.isEmpty else { return }
    Terminal.print("\nEvery guide has these options:")
    for option in MixedGuide.options { Terminal.print("    \(option.name)=  \(option.meaning)") }
  }

  private static func drawMasks() throws -> Bitmap {
    let side = 64
    let pictures = BuiltInMask.allCases.map { mask in
      Bitmap(
        width: side, height: side, channels: 1,
        pixels: mask.pixels(height: side, width: side).map { $0 > 0 ? 255 : 0 })
    }
    let captions = BuiltInMask.allCases.map { "\($0.rawValue) \($0.name)" }
    return try Grid(columns: 5, gap: 4, background: 128, zoom: 2, captions: captions).draw(pictures)
  }
}
