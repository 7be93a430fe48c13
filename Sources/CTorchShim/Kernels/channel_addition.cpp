// ddn::add_to_channels, and the same as a step of ddn::group_norm_silu_convolution.
#include "channel_addition.h"

namespace {

// Calls body(first channel of the addition, first channel of the features, count) for runs of consecutive channels.
template <typename Body>
void for_runs(at::IntArrayRef channels, Body body) {
  for (size_t first = 0, end; first < channels.size(); first = end) {
    for (end = first + 1; end < channels.size() && channels[end] == channels[end - 1] + 1;) ++end;
    body(first, channels[first], end - first);
  }
}

class AddToChannels : public torch::autograd::Function<AddToChannels> {
 public:
  static Tensor forward(AutogradContext *context, const Tensor &features, const Tensor &addition,
                        at::IntArrayRef channels) {
    context->saved_data["channels"] = channels.vec();
    context->saved_data["type"] = static_cast<int64_t>(addition.scalar_type());
    return added(features, addition, channels);
  }

  static variable_list backward(AutogradContext *context, const variable_list &gradients) {
    const auto type = static_cast<at::ScalarType>(context->saved_data["type"].toInt());
    Tensor of_addition;
    if (context->needs_input_grad(1))
      of_addition = gradient_of_addition(gradients[0], context->saved_data["channels"].toIntVector(), type);
    return {gradients[0], of_addition, Tensor()};
  }
};

Tensor add_to_channels(const Tensor &features, const Tensor &addition, at::IntArrayRef channels) {
  check_addition(features, addition, channels);
  return AddToChannels::apply(features, addition, channels);
}

}  // namespace

void check_addition(const Tensor &features, const optional<Tensor> &addition, at::IntArrayRef channels) {
  TORCH_CHECK(features.dim() == 4, "features ", features.sizes(), " must be [N, C, H, W]");
  const auto count = static_cast<int64_t>(channels.size());
  TORCH_CHECK(addition || count == 0, "channels ", channels, " are given without an addition");
  if (!addition) return;
  TORCH_CHECK(count > 0 && addition->sizes() ==
                               at::IntArrayRef({features.size(0), count, features.size(2), features.size(3)}),
              "addition ", addition->sizes(), " does not fit ", count, " channels of features ", features.sizes());
  for (int64_t channel : channels)
    TORCH_CHECK(channel >= 0 && channel < features.size(1), "channel ", channel, " is not in features ",
                features.sizes());
}

Tensor added(const Tensor &features, const optional<Tensor> &addition, at::IntArrayRef channels) {
  if (!addition) return features;
  Tensor sum = features.clone(at::MemoryFormat::Contiguous);
  for_runs(channels, [&](int64_t from, int64_t to, int64_t count) {
    sum.narrow(1, to, count).add_(addition->narrow(1, from, count));
  });
  return sum;
}

Tensor gradient_of_addition(const Tensor &gradient, at::IntArrayRef channels, at::ScalarType type) {
  std::vector<Tensor> parts;
  for_runs(channels, [&](int64_t, int64_t to, int64_t count) { parts.push_back(gradient.narrow(1, to, count)); });
  return at::cat(parts, 1).to(type);
}

TORCH_LIBRARY_IMPL(ddn, CompositeImplicitAutograd, library) { library.impl("add_to_channels", add_to_channels); }
