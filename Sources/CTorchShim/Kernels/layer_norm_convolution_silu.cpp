// ddn::layer_norm_convolution_silu: layer norm, 3x3 convolution and SiLU in one, with its gradient.
//
// On a CPU in float32 each sample goes through all three while it is in the cache.
#include "convolution_3x3.h"
#include "layer_norm_convolution_silu_kernels.h"
#include "operators.h"
#include "pulse.h"

namespace {

using Forward = std::tuple<Tensor, Tensor, Tensor, Tensor>;            // output, convolved, mean, rstd
using Backward = std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor>;  // of input, scale, shift, weight, bias

Forward forward(const Tensor &input, const Tensor &scale, const Tensor &shift, const Tensor &weight,
                const Tensor &bias, double epsilon, bool) {
  const auto [normal, mean, rstd] = at::native_layer_norm(input, scale.sizes(), scale, shift, epsilon);
  const Tensor convolved = convolution_3x3(normal, weight, bias);
  return {at::silu(convolved), convolved, mean, rstd};
}

Backward backward(const Tensor &gradient, const Tensor &input, const Tensor &scale, const Tensor &shift,
                  const Tensor &weight, const Tensor &convolved, const Tensor &mean, const Tensor &rstd,
                  bool needs_input) {
  const Tensor normal = ((input - mean) * rstd * scale + shift).to(convolved.scalar_type());
  const auto [of_normal, of_weight, of_bias] =
      convolution_3x3_backward(at::silu_backward(gradient, convolved), normal, weight);
  const auto [of_input, of_scale, of_shift] = at::native_layer_norm_backward(
      of_normal, input, scale.sizes(), mean, rstd, scale, shift, {needs_input, true, true});
  return {of_input, of_scale, of_shift, of_weight, of_bias};
}

bool has_kernel(const Tensor &input, const Tensor &scale, const Tensor &shift, const Tensor &weight) {
  return are_cpu_floats(input, scale, shift, weight) && input.dim() == 4 && weight.dim() == 4 && weight.size(2) == 3 &&
         weight.size(3) == 3 && weight.size(1) == input.size(1) && scale.sizes() == input.sizes().slice(1) &&
         shift.sizes() == scale.sizes() && scale.is_contiguous() && shift.is_contiguous() && weight.is_contiguous() &&
         input.numel() > 0 && weight.numel() > 0 && input.size(2) * input.size(3) % 16 == 0;
}

Forward cpu_forward(const Tensor &given, const Tensor &scale, const Tensor &shift, const Tensor &weight,
                    const Tensor &bias, double epsilon, bool keeps) {
  if (!has_kernel(given, scale, shift, weight) || !are_cpu_floats(bias) || !bias.is_contiguous() ||
      bias.sizes() != at::IntArrayRef({weight.size(0)}))
    return forward(given, scale, shift, weight, bias, epsilon, keeps);
  const Tensor input = given.contiguous();
  const Tensor output = at::empty({input.size(0), weight.size(0), input.size(2), input.size(3)}, input.options());
  const Tensor convolved = keeps ? at::empty_like(output) : Tensor();
  const Tensor mean = keeps ? at::empty({input.size(0)}, input.options()) : Tensor();
  const Tensor rstd = keeps ? at::empty_like(mean) : Tensor();
  best_layer_norm_convolution_silu_kernels().forward({
      .shape = convolution_shape(input, weight), .input = floats(input), .scale = floats(scale),
      .shift = floats(shift), .weight = floats(weight), .bias = floats(bias), .epsilon = static_cast<float>(epsilon),
      .output = mutable_floats(output), .convolved = mutable_floats(convolved), .mean = mutable_floats(mean),
      .rstd = mutable_floats(rstd)});
  return {output, convolved, mean, rstd};
}

Backward cpu_backward(const Tensor &given_gradient, const Tensor &given, const Tensor &scale, const Tensor &shift,
                      const Tensor &weight, const Tensor &convolved, const Tensor &mean, const Tensor &rstd,
                      bool needs_input) {
  if (!has_kernel(given, scale, shift, weight))
    return backward(given_gradient, given, scale, shift, weight, convolved, mean, rstd, needs_input);
  const Tensor gradient = given_gradient.contiguous(), input = given.contiguous();
  const Tensor of_input = needs_input ? at::empty_like(input) : Tensor(), of_scale = at::empty_like(scale);
  const Tensor of_shift = at::empty_like(shift), of_weight = at::empty_like(weight);
  const Tensor of_bias = at::empty({weight.size(0)}, weight.options());
  best_layer_norm_convolution_silu_kernels().backward({
      .shape = convolution_shape(input, weight), .output_gradient = floats(gradient), .input = floats(input),
      .scale = floats(scale), .shift = floats(shift), .weight = floats(weight), .convolved = floats(convolved),
      .mean = floats(mean), .rstd = floats(rstd), .input_gradient = mutable_floats(of_input),
      .scale_gradient = mutable_floats(of_scale), .shift_gradient = mutable_floats(of_shift),
      .weight_gradient = mutable_floats(of_weight), .bias_gradient = mutable_floats(of_bias)});
  return {of_input, of_scale, of_shift, of_weight, of_bias};
}

class LayerNormConvolutionSilu : public torch::autograd::Function<LayerNormConvolutionSilu> {
 public:
  static Tensor forward(AutogradContext *context, const Tensor &input, const Tensor &scale, const Tensor &shift,
                        const Tensor &weight, const Tensor &bias, double epsilon) {
    const auto [output, convolved, mean, rstd] = computed(input, scale, shift, weight, bias, epsilon, true);
    context->save_for_backward({input, scale, shift, weight, convolved, mean, rstd});
    return output;
  }

  static variable_list backward(AutogradContext *context, const variable_list &gradients) {
    check_first_derivative("ddn::layer_norm_convolution_silu");
    pulse();
    const auto saved = context->get_saved_variables();
    const auto [of_input, of_scale, of_shift, of_weight, of_bias] = dispatch<::backward>(
        "ddn::layer_norm_convolution_silu_backward", gradients[0], saved[0], saved[1], saved[2], saved[3], saved[4],
        saved[5], saved[6], context->needs_input_grad(0));
    return {of_input, of_scale, of_shift, of_weight, of_bias, Tensor()};
  }

  static Tensor run(const Tensor &input, const Tensor &scale, const Tensor &shift, const Tensor &weight,
                    const Tensor &bias, double epsilon) {
    return std::get<0>(computed(input, scale, shift, weight, bias, epsilon, false));
  }

 private:
  static Forward computed(const Tensor &input, const Tensor &scale, const Tensor &shift, const Tensor &weight,
                          const Tensor &bias, double epsilon, bool keeps) {
    return dispatch<::forward>("ddn::layer_norm_convolution_silu_forward", input, scale, shift, weight, bias, epsilon,
                               keeps);
  }
};

Tensor layer_norm_convolution_silu(const Tensor &input, const Tensor &scale, const Tensor &shift, const Tensor &weight,
                                   const Tensor &bias, double epsilon) {
  pulse();
  return apply_or_run<LayerNormConvolutionSilu>(records(input, scale, shift, weight, bias), input, scale, shift,
                                                weight, bias, epsilon);
}

Tensor under_autocast(const Tensor &input, const Tensor &scale, const Tensor &shift, const Tensor &weight,
                      const Tensor &bias, double epsilon) {
  pulse();
  return at::silu(at::conv2d(at::layer_norm(input, scale.sizes(), scale, shift, epsilon), weight, bias, 1, 1));
}

}  // namespace

TORCH_LIBRARY_IMPL(ddn, CompositeImplicitAutograd, library) {
  library.impl("layer_norm_convolution_silu", layer_norm_convolution_silu);
}
TORCH_LIBRARY_IMPL(ddn, CompositeExplicitAutograd, library) {
  library.impl("layer_norm_convolution_silu_forward", forward);
  library.impl("layer_norm_convolution_silu_backward", backward);
}
TORCH_LIBRARY_IMPL(ddn, CPU, library) {
  library.impl("layer_norm_convolution_silu_forward", cpu_forward);
  library.impl("layer_norm_convolution_silu_backward", cpu_backward);
}
TORCH_LIBRARY_IMPL(ddn, AutocastCPU, library) { library.impl("layer_norm_convolution_silu", under_autocast); }
TORCH_LIBRARY_IMPL(ddn, AutocastCUDA, library) { library.impl("layer_norm_convolution_silu", under_autocast); }
