// The operator ddn::unit: layer norm, 3x3 convolution and SiLU in one pass, with its gradient.
//
// On a CPU in float32 each sample goes through all three while it is in the cache; elsewhere, and under autocast, the
// operator is the three operators of libtorch.
#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "convolution.h"
#include "instruction_sets.h"
#include "pulse.h"

namespace {

using at::Tensor;

class Unit : public torch::autograd::Function<Unit> {
 public:
  static Tensor forward(torch::autograd::AutogradContext *context, const Tensor &input, const Tensor &scale,
                        const Tensor &shift, const Tensor &weight, const Tensor &bias, double epsilon) {
    auto [output, saved] = run(input, scale, shift, weight, bias, epsilon, true);
    context->save_for_backward({saved[0], scale, shift, weight, saved[1], saved[2], saved[3]});
    return output;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 const torch::autograd::variable_list &gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "ddn::unit has no second derivative");
    pulse();
    const auto saved = context->get_saved_variables();
    const Tensor &input = saved[0], &scale = saved[1], &shift = saved[2], &weight = saved[3];
    const Tensor gradient = gradients[0].contiguous();
    Tensor input_gradient = context->needs_input_grad(0) ? at::empty_like(input) : Tensor();
    Tensor scale_gradient = at::empty_like(scale), shift_gradient = at::empty_like(shift);
    Tensor weight_gradient = at::empty_like(weight), bias_gradient = at::empty({weight.size(0)}, weight.options());
    UnitBackward call{};
    call.shape = convolution_shape(input, weight);
    call.output_gradient = gradient.const_data_ptr<float>();
    call.input = input.const_data_ptr<float>();
    call.scale = scale.const_data_ptr<float>();
    call.shift = shift.const_data_ptr<float>();
    call.weight = weight.const_data_ptr<float>();
    call.convolved = saved[4].const_data_ptr<float>();
    call.mean = saved[5].const_data_ptr<float>();
    call.deviation = saved[6].const_data_ptr<float>();
    call.input_gradient = input_gradient.defined() ? input_gradient.data_ptr<float>() : nullptr;
    call.scale_gradient = scale_gradient.data_ptr<float>();
    call.shift_gradient = shift_gradient.data_ptr<float>();
    call.weight_gradient = weight_gradient.data_ptr<float>();
    call.bias_gradient = bias_gradient.data_ptr<float>();
    DDN_BEST(unit_kernels).backward(call);
    return {input_gradient, scale_gradient, shift_gradient, weight_gradient, bias_gradient, Tensor()};
  }

  // The output; and when a gradient will be asked for: the input as it was read, the convolution's output, means and
  // deviations.
  static std::pair<Tensor, std::vector<Tensor>> run(const Tensor &given, const Tensor &scale, const Tensor &shift,
                                                    const Tensor &weight, const Tensor &bias, double epsilon,
                                                    bool keeps) {
    const Tensor input = given.contiguous();
    UnitForward call{};
    call.shape = convolution_shape(input, weight);
    std::vector<int64_t> sizes{input.size(0), weight.size(0), input.size(2), input.size(3)};
    Tensor output = at::empty(sizes, input.options()), convolved, mean, deviation;
    if (keeps) {
      convolved = at::empty(sizes, input.options());
      mean = at::empty({input.size(0)}, input.options());
      deviation = at::empty({input.size(0)}, input.options());
      call.convolved = convolved.data_ptr<float>();
      call.mean = mean.data_ptr<float>();
      call.deviation = deviation.data_ptr<float>();
    }
    call.input = input.const_data_ptr<float>();
    call.scale = scale.const_data_ptr<float>();
    call.shift = shift.const_data_ptr<float>();
    call.weight = weight.const_data_ptr<float>();
    call.bias = bias.const_data_ptr<float>();
    call.epsilon = static_cast<float>(epsilon);
    call.output = output.data_ptr<float>();
    DDN_BEST(unit_kernels).forward(call);
    return {output, {input, convolved, mean, deviation}};
  }
};

bool fits(const Tensor &input, const Tensor &scale, const Tensor &shift, const Tensor &weight, const Tensor &bias) {
  if (at::autocast::is_autocast_enabled(at::kCPU) || input.dim() != 4 || weight.dim() != 4) return false;
  for (const Tensor &tensor : {input, scale, shift, weight, bias})
    if (!tensor.is_cpu() || tensor.scalar_type() != at::kFloat) return false;
  for (const Tensor &tensor : {scale, shift, weight, bias})
    if (!tensor.is_contiguous()) return false;
  return weight.size(2) == 3 && weight.size(3) == 3 && weight.size(1) == input.size(1) &&
         bias.sizes() == at::IntArrayRef({weight.size(0)}) && scale.sizes() == input.sizes().slice(1) &&
         shift.sizes() == scale.sizes() && input.numel() > 0 && weight.numel() > 0 && input.size(2) * input.size(3) % 16 == 0;
}

Tensor unit(const Tensor &input, const Tensor &scale, const Tensor &shift, const Tensor &weight, const Tensor &bias,
            double epsilon) {
  pulse();
  if (!fits(input, scale, shift, weight, bias)) {
    const Tensor normal = at::layer_norm(input, scale.sizes(), scale, shift, epsilon);
    return at::silu(at::conv2d(normal, weight, bias, 1, 1));
  }
  bool records = false;
  for (const Tensor &tensor : {input, scale, shift, weight, bias}) records = records || tensor.requires_grad();
  if (at::GradMode::is_enabled() && records) return Unit::apply(input, scale, shift, weight, bias, epsilon);
  at::AutoDispatchBelowADInplaceOrView below;
  return Unit::run(input, scale, shift, weight, bias, epsilon, false).first;
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(ddn, library) {
  library.def("unit(Tensor input, Tensor scale, Tensor shift, Tensor weight, Tensor bias, float epsilon) -> Tensor",
              unit);
}
