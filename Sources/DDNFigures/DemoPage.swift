import DDN

/// The page that `ddn demo` writes beside its images.
public struct DemoPage {
  private let codeSpace: CodeSpace
  private let seconds: Double
  private let errors: [Double]
  private let codes: [(label: UInt8, code: LatentCode)]

  /// - Parameters:
  ///   - codeSpace: of the model.
  ///   - seconds: duration of training.
  ///   - errors: each level's error on held-out digits, in units of [-1, 1] squared.
  ///   - codes: labels and codes of the digits in the reconstruction grid.
  public init(
    codeSpace: CodeSpace, seconds: Double, errors: [Double], codes: some Sequence<(UInt8, LatentCode)>
  ) {
    self.codeSpace = codeSpace
    self.seconds = seconds
    self.errors = errors
    self.codes = codes.map { (label: $0, code: $1) }
  }

  public var html: String {
    let bits = Int(codeSpace.bits.rounded())
    let rows = codes.map { "<tr><td>\($0.label)</td><td><code>\($0.code)</code></td></tr>" }.joined(separator: "\n")
    let levels = errors.enumerated().map { "level \($0 + 1): \(($1 * 10_000).rounded() / 10_000)" }
      .joined(separator: ", ")
    return """
      <!doctype html>
      <html lang="en">
      <meta charset="utf-8">
      <title>A Discrete Distribution Network after \(Int(seconds)) seconds</title>
      <style>
      body { font: 16px/1.5 system-ui, sans-serif; max-width: 46em; margin: 2em auto; padding: 0 1em; color: #222 }
      img { image-rendering: pixelated; max-width: 100%; border: 1px solid #ccc }
      td { padding: 0 1em 0 0 }
      </style>
      <h1>A Discrete Distribution Network after \(Int(seconds)) seconds</h1>
      <p>The model generates an image in \(codeSpace.levels.count) levels. Each level computes
      \(codeSpace.levels[0].nodes) images and chooses one, from which the next level continues. The choices are the
      image's code of \(bits) bits.</p>
      <h2>New digits</h2>
      <p>Every choice is random.</p>
      <img src="samples.png" alt="100 generated digits">
      <h2>Held-out digits, level by level</h2>
      <p>Each level chooses the image nearest to the target on the left. Mean squared error on 1,000 held-out digits:
      \(levels).</p>
      <img src="reconstructions.png" alt="targets and every level's choice">
      <h2>Their codes</h2>
      <table>
      <tr><th>digit</th><th>code</th></tr>
      \(rows)
      </table>
      </html>

      """
  }
}
