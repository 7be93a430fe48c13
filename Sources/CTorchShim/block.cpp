// The operators of a pyramid's block, with their gradients.
//
//   ddn::add_to_channels        features with something added to some of their channels
//   ddn::norm_silu_convolution  the same, then group norm, SiLU and a 3x3 convolution: half of a block
//
// What the second keeps for the gradient is what it was given and the norm's moments; what lies between is made again,
// which costs less than a tenth of the convolution and saves two thirds of the memory. On a CPU norm and SiLU are one
// kernel; elsewhere they are libtorch's operators. Under autocast the convolution computes in autocast's type.
#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "convolution.h"
#include "instruction_sets.h"
#include "pulse.h"

namespace {

using at::Tensor;
using std::optional;

// Calls body(first channel of the addition, first channel that it is added to, count) for runs of neighbours.
template <typename Body>
void for_runs(at::IntArrayRef channels, Body body) {
  for (size_t first = 0, end; first < channels.size(); first = end) {
    for (end = first + 1; end < channels.size() && channels[end] == channels[end - 1] + 1;) ++end;
    body(first, channels[first], end - first);
  }
}

// features [N, C, H, W] plus, in channel channels[c], channel c of addition [N, c, H, W].
Tensor added(const Tensor &features, const optional<Tensor> &addition, at::IntArrayRef channels) {
  if (!addition) return features;
  Tensor sum = features.clone(at::MemoryFormat::Contiguous);
  for_runs(channels, [&](int64_t from, int64_t to, int64_t count) {
    sum.narrow(1, to, count).add_(addition->narrow(1, from, count));
  });
  return sum;
}

// The addition's part of the sum's gradient.
Tensor gradient_of_addition(const Tensor &gradient, at::IntArrayRef channels, at::ScalarType type) {
  std::vector<Tensor> parts;
  for_runs(channels, [&](int64_t, int64_t to, int64_t count) { parts.push_back(gradient.narrow(1, to, count)); });
  return at::cat(parts, 1).to(type);
}

void check_addition(const Tensor &features, const optional<Tensor> &addition, at::IntArrayRef channels) {
  TORCH_CHECK(features.dim() == 4, "features ", features.sizes(), " are no images");
  const auto count = static_cast<int64_t>(channels.size());
  TORCH_CHECK(addition || count == 0, "channels are named and nothing is added to them");
  if (!addition) return;
  TORCH_CHECK(count > 0 && addition->sizes() ==
                               at::IntArrayRef({features.size(0), count, features.size(2), features.size(3)}),
              "an addition of ", addition->sizes(), " does not fit ", count, " channels of ", features.sizes());
  for (int64_t channel : channels)
    TORCH_CHECK(channel >= 0 && channel < features.size(1), "there is no channel ", channel, " in ", features.sizes());
}

class AddToChannels : public torch::autograd::Function<AddToChannels> {
 public:
  static Tensor forward(torch::autograd::AutogradContext *context, const Tensor &features, const Tensor &addition,
                        at::IntArrayRef channels) {
    context->saved_data["channels"] = channels.vec();
    context->saved_data["type"] = static_cast<int64_t>(addition.scalar_type());
    return added(features, addition, channels);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 const torch::autograd::variable_list &gradients) {
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

// Group norm and SiLU of an input, forward and backward.
class Activation {
 public:
  const Tensor input;        // [N, C, H, W]
  const Tensor scale, shift;  // [C]
  const int64_t groups;
  Tensor mean, deviation;    // [N, groups], once known

  Activation(Tensor input, Tensor scale, Tensor shift, int64_t groups, Tensor mean = {}, Tensor deviation = {})
      : input(std::move(input)), scale(std::move(scale)), shift(std::move(shift)), groups(groups),
        mean(std::move(mean)), deviation(std::move(deviation)) {}

  // [N, C, H, W] in the type that the convolution computes in.
  Tensor forward(double epsilon, at::ScalarType type) {
    if (!fits_kernel() || type != input.scalar_type()) {
      std::tie(normal, mean, deviation) =
          at::native_group_norm(input.to(scale.scalar_type()), scale, shift, input.size(0), input.size(1), pixels(),
                                groups, epsilon);
      return at::silu(normal).to(type);
    }
    ActivationForward call{};
    call.shape = shape();
    call.is_bfloat16 = input.scalar_type() == at::kBFloat16;
    call.input = input.const_data_ptr();
    call.scale = scale.const_data_ptr<float>();
    call.shift = shift.const_data_ptr<float>();
    call.epsilon = epsilon;
    call.has_moments = mean.defined();
    if (!call.has_moments) {
      mean = at::empty({input.size(0), groups}, scale.options());
      deviation = at::empty_like(mean);
    }
    call.mean = mean.data_ptr<float>();
    call.deviation = deviation.data_ptr<float>();
    Tensor output = at::empty_like(input);
    call.output = output.data_ptr();
    DDN_BEST(block_kernels).forward(call);
    return output;
  }

  // The gradients of input, scale and shift.
  //
  // `forward` must have been asked for the same type before.
  std::array<Tensor, 3> backward(const Tensor &output_gradient) {
    if (normal.defined()) {
      const Tensor through = at::silu_backward(output_gradient.to(normal.scalar_type()), normal).contiguous();
      const auto [of_input, of_scale, of_shift] =
          at::native_group_norm_backward(through, input.to(through.scalar_type()), mean, deviation, scale,
                                         input.size(0), input.size(1), pixels(), groups, {true, true, true});
      return {of_input, of_scale, of_shift};
    }
    const Tensor gradient = output_gradient.contiguous();
    Tensor of_input = at::empty_like(input);
    Tensor of_scale = at::empty({input.size(0), input.size(1)}, scale.options()), of_shift = at::empty_like(of_scale);
    ActivationBackward call{};
    call.shape = shape();
    call.is_bfloat16 = input.scalar_type() == at::kBFloat16;
    call.output_gradient = gradient.const_data_ptr();
    call.input = input.const_data_ptr();
    call.scale = scale.const_data_ptr<float>();
    call.shift = shift.const_data_ptr<float>();
    call.mean = mean.const_data_ptr<float>();
    call.deviation = deviation.const_data_ptr<float>();
    call.input_gradient = of_input.data_ptr();
    call.scale_gradients = of_scale.data_ptr<float>();
    call.shift_gradients = of_shift.data_ptr<float>();
    DDN_BEST(block_kernels).backward(call);
    return {of_input, of_scale.sum(0), of_shift.sum(0)};
  }

 private:
  Tensor normal;  // what libtorch's norm has made, in the type of the weights, where it is not the kernel's

  int64_t pixels() const { return input.size(2) * input.size(3); }

  ActivationShape shape() const {
    return {input.size(0), pixels(), static_cast<int>(input.size(1)), static_cast<int>(groups)};
  }

  bool fits_kernel() const {
    const auto type = input.scalar_type();
    for (const Tensor &tensor : {scale, shift})
      if (!tensor.is_cpu() || tensor.scalar_type() != at::kFloat) return false;
    return input.is_cpu() && input.numel() > 0 && (type == at::kFloat || type == at::kBFloat16);
  }
};

// Every pixel four times.
Tensor doubled(const Tensor &images) { return at::upsample_nearest2d(images, {2 * images.size(2), 2 * images.size(3)}); }

Tensor doubled_backward(const Tensor &gradient) {
  const int64_t height = gradient.size(2), width = gradient.size(3);
  return at::upsample_nearest2d_backward(gradient, {height, width},
                                         {gradient.size(0), gradient.size(1), height / 2, width / 2});
}

class NormSiluConvolution : public torch::autograd::Function<NormSiluConvolution> {
 public:
  static Tensor forward(torch::autograd::AutogradContext *context, const Tensor &features,
                        const optional<Tensor> &addition, at::IntArrayRef channels, const Tensor &scale,
                        const Tensor &shift, int64_t groups, double epsilon, const Tensor &weight, const Tensor &bias,
                        bool doubles, at::ScalarType type) {
    Activation activation(added(features, addition, channels), scale, shift, groups);
    Tensor output = run(activation, epsilon, weight, bias, doubles, type);
    context->save_for_backward({features, addition.value_or(Tensor()), scale, shift, weight, activation.mean,
                                activation.deviation});
    context->saved_data["channels"] = channels.vec();
    context->saved_data["groups"] = groups;
    context->saved_data["epsilon"] = epsilon;
    context->saved_data["doubles"] = doubles;
    return output;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 const torch::autograd::variable_list &gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "ddn::norm_silu_convolution has no second derivative");
    pulse();
    c10::impl::ExcludeDispatchKeyGuard without_autocast(c10::autocast_dispatch_keyset);
    const auto saved = context->get_saved_variables();
    const Tensor &features = saved[0], &weight = saved[4], &gradient = gradients[0];
    const optional<Tensor> addition = saved[1].defined() ? optional<Tensor>(saved[1]) : std::nullopt;
    const auto channels = context->saved_data["channels"].toIntVector();
    const double epsilon = context->saved_data["epsilon"].toDouble();
    const bool doubles = context->saved_data["doubles"].toBool();
    const at::ScalarType type = gradient.scalar_type();
    Activation activation(added(features, addition, channels), saved[2], saved[3],
                          context->saved_data["groups"].toInt(), saved[5], saved[6]);

    Tensor active = activation.forward(epsilon, type);
    if (doubles) active = doubled(active);
    auto [of_active, of_weight, of_bias] = convolved_3x3_backward(gradient, active, weight.to(type));
    active.reset();
    if (doubles) of_active = doubled_backward(of_active);
    const auto [of_input, of_scale, of_shift] = activation.backward(of_active);
    Tensor of_addition;
    if (addition && context->needs_input_grad(1))
      of_addition = gradient_of_addition(of_input, channels, addition->scalar_type());
    const auto own = weight.scalar_type();
    return {of_input.to(features.scalar_type()), of_addition, Tensor(), of_scale, of_shift, Tensor(), Tensor(),
            of_weight.to(own), of_bias.to(own), Tensor(), Tensor()};
  }

  static Tensor run(Activation &activation, double epsilon, const Tensor &weight, const Tensor &bias, bool doubles,
                    at::ScalarType type) {
    Tensor active = activation.forward(epsilon, type);
    if (doubles) active = doubled(active);
    return convolved_3x3(active, weight.to(type), bias.to(type));
  }
};

// features [N, in, H, W], addition [N, c, H, W] or none, channels [c], scale and shift [in], weight [out, in, 3, 3],
// bias [out] -> [N, out, H, W], or twice H and W
Tensor norm_silu_convolution(const Tensor &given, const optional<Tensor> &addition, at::IntArrayRef channels,
                             const Tensor &scale, const Tensor &shift, int64_t groups, double epsilon,
                             const Tensor &weight, const Tensor &bias, bool doubles) {
  check_addition(given, addition, channels);
  TORCH_CHECK(weight.dim() == 4 && weight.size(2) == 3 && weight.size(3) == 3 && weight.size(1) == given.size(1) &&
                  scale.sizes() == at::IntArrayRef({given.size(1)}) && shift.sizes() == scale.sizes() &&
                  bias.sizes() == at::IntArrayRef({weight.size(0)}),
              "features ", given.sizes(), ", norm ", scale.sizes(), " and weight ", weight.sizes(), " do not fit");
  TORCH_CHECK(groups > 0 && given.size(1) % groups == 0, given.size(1), " channels do not divide into ", groups,
              " groups");
  pulse();
  const auto device = given.device().type();
  const bool casts = at::autocast::is_autocast_enabled(device);
  const at::ScalarType type = casts ? at::autocast::get_autocast_dtype(device) : weight.scalar_type();
  c10::impl::ExcludeDispatchKeyGuard without_autocast(c10::autocast_dispatch_keyset);
  // The kernel writes numbers of the type that it reads.
  const Tensor features = (given.is_cpu() ? given.to(type) : given).contiguous();
  const Tensor scales = scale.contiguous(), shifts = shift.contiguous();
  bool records = addition && addition->requires_grad();
  for (const Tensor &tensor : {features, scale, shift, weight, bias}) records = records || tensor.requires_grad();
  if (at::GradMode::is_enabled() && records)
    return NormSiluConvolution::apply(features, addition, channels, scales, shifts, groups, epsilon, weight, bias,
                                      doubles, type);
  at::AutoDispatchBelowADInplaceOrView below;
  Activation activation(added(features, addition, channels), scales, shifts, groups);
  return NormSiluConvolution::run(activation, epsilon, weight, bias, doubles, type);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(ddn, library) {
  library.def("add_to_channels(Tensor features, Tensor addition, int[] channels) -> Tensor", add_to_channels);
  library.def(
      "norm_silu_convolution(Tensor features, Tensor? addition, int[] channels, Tensor scale, Tensor shift, "
      "int groups, float epsilon, Tensor weight, Tensor bias, bool doubles) -> Tensor",
      norm_silu_convolution);
}
