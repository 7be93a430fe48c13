#include "convolution.h"

#include "instruction_sets.h"

namespace {

using at::Tensor;

// Making planes of kernels takes as long as some hundred pixels of the convolution itself, of few channels libtorch's is
// as fast, few rows fill no tile, and rows of other widths no vectors. The number of images has no say: an image must
// not depend on how many are beside it.
bool fits_kernels(const Tensor &input, const Tensor &weight) {
  for (const Tensor &tensor : {input, weight})
    if (!tensor.is_cpu() || tensor.scalar_type() != at::kFloat) return false;
  const int64_t height = input.size(2), width = input.size(3);
  return DDN_BEST(convolution_kernels).is_worthwhile && input.size(0) > 0 && height >= 4 && width % 16 == 0 &&
         height * width >= 256 && weight.size(0) >= 16 && weight.size(1) >= 16;
}

}  // namespace

Tensor convolved_3x3(const Tensor &input, const Tensor &weight, const Tensor &bias) {
  if (!fits_kernels(input, weight) || !bias.is_cpu() || bias.scalar_type() != at::kFloat)
    return at::convolution(input, weight, bias, {1, 1}, {1, 1}, {1, 1}, false, {0, 0}, 1);
  const Tensor in = input.contiguous(), kernels = weight.contiguous(), added = bias.contiguous();
  Tensor output = at::empty({in.size(0), kernels.size(0), in.size(2), in.size(3)}, in.options());
  DDN_BEST(convolution_kernels)
      .forward({convolution_shape(in, kernels), in.const_data_ptr<float>(), kernels.const_data_ptr<float>(),
                added.const_data_ptr<float>(), output.data_ptr<float>()});
  return output;
}

std::tuple<Tensor, Tensor, Tensor> convolved_3x3_backward(const Tensor &output_gradient, const Tensor &input,
                                                          const Tensor &weight) {
  if (!fits_kernels(input, weight))
    return at::convolution_backward(output_gradient, input, weight, {{weight.size(0)}}, {1, 1}, {1, 1}, {1, 1}, false,
                                    {0, 0}, 1, {true, true, true});
  const Tensor gradient = output_gradient.contiguous(), in = input.contiguous(), kernels = weight.contiguous();
  Tensor of_input = at::empty_like(in), of_weight = at::empty_like(kernels);
  DDN_BEST(convolution_kernels)
      .backward({convolution_shape(in, kernels), gradient.const_data_ptr<float>(), in.const_data_ptr<float>(),
                 kernels.const_data_ptr<float>(), of_input.data_ptr<float>(), of_weight.data_ptr<float>()});
  return {of_input, of_weight, gradient.sum({0, 2, 3})};
}
