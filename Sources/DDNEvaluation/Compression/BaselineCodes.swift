import DDN
import Torch

/// The codes that a model is compared with, fitted to training images.
struct BaselineCodes {
  var pca: PCACode?
  var kMeans: ResidualKMeans?
  /// Training images; 0 without.
  var trainingCount = 0
  /// What was left out, and why.
  var notes: [String] = []

  /// The most bytes of training images as float32.
  private static let maxBytes = 1 << 30

  /// - Parameters:
  ///   - source: training images; nil for no codes.
  ///   - maxCount: the most images to use, from the first.
  ///   - maxSteps: of each k-means.
  ///   - space: of the model, whose bits and nodes the codes get.
  ///   - bits: of a whole code.
  ///   - advance: called with what is being done and the share that is done; throwing stops.
  init(
    fittedTo source: (any EncodingSource)?, maxCount: Int, maxSteps: Int, as space: CodeSpace, bits: Double,
    advance: (String, Double) throws -> Void
  ) throws {
    guard let source, source.count > 0 else { return }
    let values = try source.images(in: 0..<1).images.count
    trainingCount = min(source.count, maxCount, max(1, Self.maxBytes / (4 * values)))
    if values <= PCACode.maxValues {
      pca = try PCACode(fitting: source, count: trainingCount, bits: Int(bits.rounded(.up))) {
        try advance("PCA code", $0)
      }
    } else {
      notes.append("no PCA code: images have \(values) values, more than \(PCACode.maxValues)")
    }
    let nodes = space.levels.map(\.nodes)
    if let most = nodes.max(), most <= trainingCount {
      kMeans = try ResidualKMeans(fitting: source, count: trainingCount, nodes: nodes, maxSteps: maxSteps) {
        try advance("residual k-means", $0)
      }
    } else {
      notes.append("no residual k-means: \(trainingCount) training images are fewer than \(space.maxNodes) nodes")
    }
  }
}
