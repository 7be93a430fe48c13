#include "convolution_3x3.h"

#include "convolution_3x3_kernels.h"
#include "operators.h"

namespace {

Tensor forward(const Tensor &input, const Tensor &weight, const Tensor &bias) {
  return at::convolution(input, weight, bias, {1, 1}, {1, 1}, {1, 1}, false, {0, 0}, 1);
}

std::tuple<Tensor, Tensor, Tensor> backward(const Tensor &gradient, const Tensor &input, const Tensor &weight) {
  return at::convolution_backward(gradient, input, weight, {{weight.size(0)}}, {1, 1}, {1, 1}, {1, 1}, false, {0, 0},
                                  1, {true, true, true});
}

// Worth it only from 16 channels, 4 rows, 256 pixels and widths divisible by 16. Batch size is ignored, so results do
// not depend on it.
bool has_kernel(const Tensor &input, const Tensor &weight) {
  return best_convolution_3x3_kernels().is_worthwhile && are_cpu_floats(input, weight) && input.dim() == 4 &&
         weight.sizes() == at::IntArrayRef({weight.size(0), input.size(1), 3, 3}) && input.size(0) > 0 &&
         input.size(2) >= 4 && input.size(3) % 16 == 0 && input.size(2) * input.size(3) >= 256 &&
         weight.size(0) >= 16 && weight.size(1) >= 16;
}

Tensor cpu_forward(const Tensor &given, const Tensor &given_weight, const Tensor &given_bias) {
  if (!has_kernel(given, given_weight) || !are_cpu_floats(given_bias) || given_bias.numel() != given_weight.size(0))
    return forward(given, given_weight, given_bias);
  const Tensor input = given.contiguous(), weight = given_weight.contiguous(), bias = given_bias.contiguous();
  const Tensor output = at::empty({input.size(0), weight.size(0), input.size(2), input.size(3)}, input.options());
  best_convolution_3x3_kernels().forward(
      {convolution_shape(input, weight), floats(input), floats(weight), floats(bias), mutable_floats(output)});
  return output;
}

std::tuple<Tensor, Tensor, Tensor> cpu_backward(const Tensor &given_gradient, const Tensor &given,
                                                const Tensor &given_weight) {
  if (!has_kernel(given, given_weight)) return backward(given_gradient, given, given_weight);
  const Tensor gradient = given_gradient.contiguous(), input = given.contiguous(), weight = given_weight.contiguous();
  const Tensor of_input = at::empty_like(input), of_weight = at::empty_like(weight);
  best_convolution_3x3_kernels().backward({convolution_shape(input, weight), floats(gradient), floats(input),
                                           floats(weight), mutable_floats(of_input), mutable_floats(of_weight)});
  return {of_input, of_weight, gradient.sum({0, 2, 3})};
}

}  // namespace

Tensor convolution_3x3(const Tensor &input, const Tensor &weight, const Tensor &bias) {
  return dispatch<forward>("ddn::convolution_3x3", input, weight, bias);
}

std::tuple<Tensor, Tensor, Tensor> convolution_3x3_backward(const Tensor &gradient, const Tensor &input,
                                                            const Tensor &weight) {
  return dispatch<backward>("ddn::convolution_3x3_backward", gradient, input, weight);
}

TORCH_LIBRARY_IMPL(ddn, CompositeExplicitAutograd, library) {
  library.impl("convolution_3x3", forward);
  library.impl("convolution_3x3_backward", backward);
}
TORCH_LIBRARY_IMPL(ddn, CPU, library) {
  library.impl("convolution_3x3", cpu_forward);
  library.impl("convolution_3x3_backward", cpu_backward);
}
