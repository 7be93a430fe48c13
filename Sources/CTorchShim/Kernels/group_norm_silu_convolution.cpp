// ddn::group_norm_silu_convolution: half a block of a pyramid, on every device. Adds to channels, then group norm, SiLU
// and a 3x3 convolution.
//
// Keeps its inputs and the norm's moments for the gradient, and computes the rest again, which costs less than a tenth
// of the convolution and saves two thirds of the memory. Under autocast the convolution computes in autocast's type.
#include <ATen/autocast_mode.h>

#include "channel_addition.h"
#include "convolution_3x3.h"
#include "group_norm_silu.h"
#include "pulse.h"

namespace {

// Repeats every pixel: twice the height and width.
Tensor doubled(const Tensor &images) {
  return at::upsample_nearest2d(images, {2 * images.size(2), 2 * images.size(3)});
}

Tensor doubled_backward(const Tensor &gradient) {
  const int64_t height = gradient.size(2), width = gradient.size(3);
  return at::upsample_nearest2d_backward(gradient, {height, width},
                                         {gradient.size(0), gradient.size(1), height / 2, width / 2});
}

class GroupNormSiluConvolution : public torch::autograd::Function<GroupNormSiluConvolution> {
 public:
  static Tensor forward(AutogradContext *context, const Tensor &features, const optional<Tensor> &addition,
                        at::IntArrayRef channels, const Tensor &scale, const Tensor &shift, int64_t groups,
                        double epsilon, const Tensor &weight, const Tensor &bias, bool doubles, at::ScalarType type) {
    GroupNormSilu active =
        group_norm_silu(added(features, addition, channels), scale, shift, groups, epsilon, type, {}, {});
    context->save_for_backward(
        {features, addition.value_or(Tensor()), scale, shift, weight, active.mean, active.rstd});
    context->saved_data["channels"] = channels.vec();
    context->saved_data["groups"] = groups;
    context->saved_data["epsilon"] = epsilon;
    context->saved_data["doubles"] = doubles;
    return convolved(active, weight, bias, doubles, type);
  }

  static variable_list backward(AutogradContext *context, const variable_list &gradients) {
    check_first_derivative("ddn::group_norm_silu_convolution");
    pulse();
    c10::impl::ExcludeDispatchKeyGuard without_autocast(c10::autocast_dispatch_keyset);
    const auto saved = context->get_saved_variables();
    const Tensor &features = saved[0], &scale = saved[2], &shift = saved[3], &weight = saved[4];
    const optional<Tensor> addition = saved[1].defined() ? optional<Tensor>(saved[1]) : std::nullopt;
    const auto channels = context->saved_data["channels"].toIntVector();
    const int64_t groups = context->saved_data["groups"].toInt();
    const bool doubles = context->saved_data["doubles"].toBool();
    const at::ScalarType type = gradients[0].scalar_type();

    const Tensor input = added(features, addition, channels);
    GroupNormSilu active = group_norm_silu(input, scale, shift, groups, context->saved_data["epsilon"].toDouble(),
                                           type, saved[5], saved[6]);
    if (doubles) active.output = doubled(active.output);
    auto [of_active, of_weight, of_bias] = convolution_3x3_backward(gradients[0], active.output, weight.to(type));
    active.output.reset();
    if (doubles) of_active = doubled_backward(of_active);
    const auto [of_input, of_scale, of_shift] =
        group_norm_silu_backward(of_active, input, active, scale, shift, groups);
    Tensor of_addition;
    if (addition && context->needs_input_grad(1))
      of_addition = gradient_of_addition(of_input, channels, addition->scalar_type());
    const auto own = weight.scalar_type();
    return {of_input.to(features.scalar_type()), of_addition, Tensor(), of_scale, of_shift, Tensor(), Tensor(),
            of_weight.to(own), of_bias.to(own), Tensor(), Tensor()};
  }

  static Tensor run(const Tensor &features, const optional<Tensor> &addition, at::IntArrayRef channels,
                    const Tensor &scale, const Tensor &shift, int64_t groups, double epsilon, const Tensor &weight,
                    const Tensor &bias, bool doubles, at::ScalarType type) {
    at::AutoDispatchBelowADInplaceOrView without_autograd;
    GroupNormSilu active =
        group_norm_silu(added(features, addition, channels), scale, shift, groups, epsilon, type, {}, {});
    return convolved(active, weight, bias, doubles, type);
  }

 private:
  // Takes the images out of `active`, which the convolution needs no longer than this.
  static Tensor convolved(GroupNormSilu &active, const Tensor &weight, const Tensor &bias, bool doubles,
                          at::ScalarType type) {
    const Tensor images = doubles ? doubled(active.output) : active.output;
    active = {};
    return convolution_3x3(images, weight.to(type), bias.to(type));
  }
};

// features [N, in, H, W], addition [N, c, H, W] or none, channels [c], scale and shift [in], weight [out, in, 3, 3],
// bias [out] -> [N, out, H, W], or twice H and W
Tensor group_norm_silu_convolution(const Tensor &given, const optional<Tensor> &addition, at::IntArrayRef channels,
                                   const Tensor &scale, const Tensor &shift, int64_t groups, double epsilon,
                                   const Tensor &weight, const Tensor &bias, bool doubles) {
  check_addition(given, addition, channels);
  TORCH_CHECK(weight.sizes() == at::IntArrayRef({weight.size(0), given.size(1), 3, 3}) &&
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
  // The CPU's kernel writes the type that it reads.
  const Tensor features = (given.is_cpu() ? given.to(type) : given).contiguous();
  return apply_or_run<GroupNormSiluConvolution>(
      records(features, scale, shift, weight, bias) || (addition && records(*addition)), features, addition, channels,
      scale.contiguous(), shift.contiguous(), groups, epsilon, weight, bias, doubles, type);
}

}  // namespace

TORCH_LIBRARY_IMPL(ddn, CompositeImplicitAutograd, library) {
  library.impl("group_norm_silu_convolution", group_norm_silu_convolution);
}
