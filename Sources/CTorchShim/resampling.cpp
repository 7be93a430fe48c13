// The operators ddn::halve and ddn::double: convolution and transposed convolution with 4x4 kernels, stride 2 and
// padding 1, with their gradients. On a CPU in float32 by kernels of our own; elsewhere they are libtorch's.
#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "instruction_sets.h"

namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Of images whose sides are `times` the smaller ones; weight [low, high, 4, 4].
ResamplingShape shape_of(const Tensor &images, int times, const Tensor &weight) {
  return {images.size(0), static_cast<int>(weight.size(0)), static_cast<int>(weight.size(1)),
          static_cast<int>(images.size(2) / times), static_cast<int>(images.size(3) / times)};
}

Tensor down(const Tensor &high, const Tensor &weight, const float *bias) {
  const ResamplingShape shape = shape_of(high, 2, weight);
  Tensor low = at::empty({shape.samples, shape.low, shape.height, shape.width}, high.options());
  DDN_BEST(resampling_kernels).down(shape, high.const_data_ptr<float>(), weight.const_data_ptr<float>(), bias,
                                    low.data_ptr<float>());
  return low;
}

Tensor up(const Tensor &low, const Tensor &weight, const float *bias) {
  const ResamplingShape shape = shape_of(low, 1, weight);
  Tensor high = at::empty({shape.samples, shape.high, 2 * shape.height, 2 * shape.width}, low.options());
  DDN_BEST(resampling_kernels).up(shape, low.const_data_ptr<float>(), weight.const_data_ptr<float>(), bias,
                                  high.data_ptr<float>());
  return high;
}

Tensor weight_gradient(const Tensor &low, const Tensor &high, const Tensor &weight) {
  Tensor gradient = at::empty_like(weight);
  DDN_BEST(resampling_kernels).weight_gradient(shape_of(low, 1, weight), low.const_data_ptr<float>(),
                                               high.const_data_ptr<float>(), gradient.data_ptr<float>());
  return gradient;
}

// Down or up; the gradient of the one is the other.
template <bool is_down>
class Resampling : public torch::autograd::Function<Resampling<is_down>> {
 public:
  static Tensor forward(AutogradContext *context, const Tensor &input, const Tensor &weight, const Tensor &bias) {
    context->save_for_backward({input, weight});
    return run(input, weight, bias);
  }

  static variable_list backward(AutogradContext *context, const variable_list &gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "ddn::halve and ddn::double have no second derivative");
    const auto saved = context->get_saved_variables();
    const Tensor &input = saved[0], &weight = saved[1], gradient = gradients[0].contiguous();
    Tensor of_input;
    if (context->needs_input_grad(0)) of_input = is_down ? up(gradient, weight, nullptr) : down(gradient, weight, nullptr);
    const Tensor of_weight =
        is_down ? weight_gradient(gradient, input, weight) : weight_gradient(input, gradient, weight);
    return {of_input, of_weight, gradient.sum({0, 2, 3})};
  }

  static Tensor run(const Tensor &input, const Tensor &weight, const Tensor &bias) {
    const float *numbers = bias.const_data_ptr<float>();
    return is_down ? down(input, weight, numbers) : up(input, weight, numbers);
  }
};

bool fits(const Tensor &input, const Tensor &weight, const Tensor &bias, bool is_down) {
  if (at::autocast::is_autocast_enabled(at::kCPU) || input.dim() != 4 || weight.dim() != 4) return false;
  for (const Tensor &tensor : {input, weight, bias})
    if (!tensor.is_cpu() || tensor.scalar_type() != at::kFloat) return false;
  const int64_t outputs = weight.size(is_down ? 0 : 1), inputs = weight.size(is_down ? 1 : 0);
  return weight.is_contiguous() && bias.is_contiguous() && weight.size(2) == 4 && weight.size(3) == 4 &&
         inputs == input.size(1) && bias.sizes() == at::IntArrayRef({outputs}) && input.numel() > 0 && weight.numel() > 0 &&
         (!is_down || (input.size(2) % 2 == 0 && input.size(3) % 2 == 0));
}

template <bool is_down>
Tensor resample(const Tensor &given, const Tensor &weight, const Tensor &bias) {
  if (!fits(given, weight, bias, is_down))
    return is_down ? at::conv2d(given, weight, bias, 2, 1) : at::conv_transpose2d(given, weight, bias, 2, 1);
  const Tensor input = given.contiguous();
  if (at::GradMode::is_enabled() && (input.requires_grad() || weight.requires_grad() || bias.requires_grad()))
    return Resampling<is_down>::apply(input, weight, bias);
  at::AutoDispatchBelowADInplaceOrView below;
  return Resampling<is_down>::run(input, weight, bias);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(ddn, library) {
  library.def("halve(Tensor input, Tensor weight, Tensor bias) -> Tensor", resample<true>);
  library.def("double(Tensor input, Tensor weight, Tensor bias) -> Tensor", resample<false>);
}
