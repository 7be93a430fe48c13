import DDNFiles
import Torch

/// A transformer of pre-norm layers, between an optional norm and a final norm with a projection.
struct CLIPTransformer {
  /// `[tokens, width]`.
  let positions: Tensor
  private let normBefore: LayerNorm?
  private let layers: [Layer]
  private let normAfter: LayerNorm
  /// `[embedding, width]`.
  private let projection: Tensor

  var width: Int { positions.shape[1] }
  /// The most tokens.
  var length: Int { positions.shape[0] }
  var embedding: Int { projection.shape[0] }

  /// - Parameters:
  ///   - reader: of the state dictionary.
  ///   - names: where the tower's weights are.
  ///   - configuration: what shapes do not show.
  ///   - width: of the tokens.
  ///   - embedding: size; nil for any.
  ///   - projectsByLinear: whether the projection is `[embedding, width]`, or transposed.
  ///   - isCausal: whether a token attends to itself and those before it only.
  init(
    _ reader: inout WeightReader, _ names: CLIPNames.Tower, _ configuration: CLIPConfiguration.Tower, width: Int,
    embedding: Int?, projectsByLinear: Bool, isCausal: Bool
  ) throws {
    positions = try reader.tensor(names.positions, [nil, width])
    normBefore = try names.normBefore.map { try LayerNorm(&reader, $0, width) }
    let heads = configuration.heads ?? max(1, width / 64)
    guard width % heads == 0 else {
      throw reader.error("\(quoted(names.positions)) has the width \(width), not a multiple of \(heads) heads")
    }
    var layers: [Layer] = []
    func layerName() -> String { names.layer.replacing("LAYER", with: "\(layers.count)") }
    repeat {
      layers.append(
        try Layer(
          &reader, layerName(), names, width: width, heads: heads, activation: configuration.activation,
          isCausal: isCausal))
    } while reader.contains("\(layerName()).\(names.denseIn).weight")
    self.layers = layers
    normAfter = try LayerNorm(&reader, names.normAfter, width)
    let shape = projectsByLinear ? [embedding, width] : [width, embedding]
    let projection = try reader.tensor(names.projection, shape)
    self.projection = try projectsByLinear ? projection : projection.transposed(0, 1).contiguous()
  }

  /// The tokens after the layers; positions are added first.
  ///
  /// - Parameter tokens: `[N, T, width]`.
  func callAsFunction(_ tokens: Tensor) throws -> Tensor {
    var tokens = try tokens + positions.slice(0, 0..<tokens.shape[1])
    if let normBefore { tokens = try normBefore(tokens) }
    for layer in layers { tokens = try layer(tokens) }
    return tokens
  }

  /// Embeddings of length 1: `[N, width]` to `[N, embedding]`.
  func projected(_ tokens: Tensor) throws -> Tensor {
    try normAfter(tokens).linear(projection, bias: nil).unitLength(1)
  }
}

extension CLIPTransformer {
  private struct LayerNorm {
    private let weight: Tensor
    private let bias: Tensor

    init(_ reader: inout WeightReader, _ name: String, _ width: Int) throws {
      weight = try reader.tensor("\(name).weight", [width])
      bias = try reader.tensor("\(name).bias", [width])
    }

    func callAsFunction(_ tokens: Tensor) throws(TorchError) -> Tensor {
      try tokens.layerNormalized(weight: weight, bias: bias, epsilon: 1e-5)
    }
  }

  private struct Dense {
    let weight: Tensor
    let bias: Tensor

    init(_ reader: inout WeightReader, _ name: String, from input: Int?, to output: Int?) throws {
      weight = try reader.tensor("\(name).weight", [output, input])
      bias = try reader.tensor("\(name).bias", [weight.shape[0]])
    }

    init(weight: Tensor, bias: Tensor) { (self.weight, self.bias) = (weight, bias) }

    func callAsFunction(_ tokens: Tensor) throws(TorchError) -> Tensor { try tokens.linear(weight, bias: bias) }
  }

  /// Attention and a perceptron of one hidden layer, each with a norm before and a skip connection.
  private struct Layer {
    private let attentionNorm: LayerNorm
    /// Queries, keys and values: `[3 width, width]`.
    private let attentionIn: Dense
    private let attentionOut: Dense
    private let denseNorm: LayerNorm
    private let denseIn: Dense
    private let denseOut: Dense
    private let heads: Int
    private let activation: CLIPConfiguration.Activation
    private let isCausal: Bool

    init(
      _ reader: inout WeightReader, _ name: String, _ names: CLIPNames.Tower, width: Int, heads: Int,
      activation: CLIPConfiguration.Activation, isCausal: Bool
    ) throws {
      (self.heads, self.activation, self.isCausal) = (heads, activation, isCausal)
      attentionNorm = try LayerNorm(&reader, "\(name).\(names.attentionNorm)", width)
      switch names.attention {
      case .separate(let parts):
        let dense = try parts.map { try Dense(&reader, "\(name).\($0)", from: width, to: width) }
        attentionIn = Dense(
          weight: try .concatenate(dense.map(\.weight)), bias: try .concatenate(dense.map(\.bias)))
      case .joined(let joined):
        attentionIn = Dense(
          weight: try reader.tensor("\(name).\(joined)_weight", [3 * width, width]),
          bias: try reader.tensor("\(name).\(joined)_bias", [3 * width]))
      }
      attentionOut = try Dense(&reader, "\(name).\(names.attentionOut)", from: width, to: width)
      denseNorm = try LayerNorm(&reader, "\(name).\(names.denseNorm)", width)
      denseIn = try Dense(&reader, "\(name).\(names.denseIn)", from: width, to: nil)
      denseOut = try Dense(&reader, "\(name).\(names.denseOut)", from: denseIn.weight.shape[0], to: width)
    }

    func callAsFunction(_ tokens: Tensor) throws -> Tensor {
      let shape = tokens.shape  // [N, T, width]
      let joined = try attentionIn(attentionNorm(tokens))
        .reshaped([shape[0], shape[1], 3, heads, shape[2] / heads])
      func part(_ index: Int) throws(TorchError) -> Tensor { try joined.select(2, index).transposed(1, 2) }
      let attended = try part(0).attention(keys: part(1), values: part(2), isCausal: isCausal)  // [N, heads, T, w]
        .transposed(1, 2).reshaped(shape)
      let tokens = try tokens + attentionOut(attended)
      return try tokens + denseOut(activation(denseIn(denseNorm(tokens))))
    }
  }
}
