/// Where a CLIP's weights are in a state dictionary: Hugging Face's names or OpenAI's.
struct CLIPNames {
  /// Of a tower: image or text.
  struct Tower {
    var positions: String
    /// A layer's name; `LAYER` stands for its number.
    var layer: String
    var attention: Attention
    /// Before and after the layers; parts of a layer.
    var normBefore: String?
    var normAfter: String
    var attentionNorm: String
    var denseNorm: String
    var denseIn: String
    var denseOut: String
    var attentionOut: String
    var projection: String
  }

  /// The weights of queries, keys and values.
  enum Attention {
    /// Linear layers, by name.
    case separate([String])
    /// `NAME_weight` and `NAME_bias`, queries first.
    case joined(String)
  }

  var image: Tower
  var text: Tower
  var patches: String
  var classToken: String
  var tokens: String
  /// Whether projections are `[embedding, width]`, as linear layers are, or transposed.
  var projectsByLinear: Bool

  static let huggingFace: CLIPNames = {
    func tower(_ name: String, before: String?, after: String, projection: String) -> Tower {
      Tower(
        positions: "\(name).embeddings.position_embedding.weight", layer: "\(name).encoder.layers.LAYER",
        attention: .separate(["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]),
        normBefore: before.map { "\(name).\($0)" }, normAfter: "\(name).\(after)", attentionNorm: "layer_norm1",
        denseNorm: "layer_norm2", denseIn: "mlp.fc1", denseOut: "mlp.fc2", attentionOut: "self_attn.out_proj",
        projection: projection)
    }
    return CLIPNames(
      // The first norm's name is spelled this way.
      image: tower(
        "vision_model", before: "pre_layrnorm", after: "post_layernorm", projection: "visual_projection.weight"),
      text: tower("text_model", before: nil, after: "final_layer_norm", projection: "text_projection.weight"),
      patches: "vision_model.embeddings.patch_embedding.weight",
      classToken: "vision_model.embeddings.class_embedding", tokens: "text_model.embeddings.token_embedding.weight",
      projectsByLinear: true)
  }()

  static let openAI: CLIPNames = {
    func tower(_ prefix: String, before: String?, after: String, projection: String) -> Tower {
      Tower(
        positions: "\(prefix)positional_embedding", layer: "\(prefix)transformer.resblocks.LAYER",
        attention: .joined("attn.in_proj"), normBefore: before, normAfter: after, attentionNorm: "ln_1",
        denseNorm: "ln_2", denseIn: "mlp.c_fc", denseOut: "mlp.c_proj", attentionOut: "attn.out_proj",
        projection: projection)
    }
    return CLIPNames(
      image: tower("visual.", before: "visual.ln_pre", after: "visual.ln_post", projection: "visual.proj"),
      text: tower("", before: nil, after: "ln_final", projection: "text_projection"),
      patches: "visual.conv1.weight", classToken: "visual.class_embedding", tokens: "token_embedding.weight",
      projectsByLinear: false)
  }()
}
