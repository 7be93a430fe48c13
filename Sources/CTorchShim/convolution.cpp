#include "convolution.h"

#include "instruction_sets.h"

namespace {

using at::Tensor;

ConvolutionShape shape_of(const Tensor &input, const Tensor &weight) {
  return {input.size(0), static_cast<int>(input.size(1)), static_cast<int>(weight.size(0)),
          static_cast<int>(input.size(2)), static_cast<int>(input.size(3))};
}

// Making planes of kernels takes as long as some hundred pixels of the convolution itself, and of few channels libtorch's is
// as fast. The number of images has no say: an image must not depend on how many are beside it.
bool fits_kernels(const Tensor &input, const Tensor &weight) {
  if (!input.is_cpu() || input.scalar_type() != at::kFloat || weight.scalar_type() != at::kFloat) return false;
  const int64_t height = input.size(2), width = input.size(3);
  return DDN_BEST(convolution_kernels).is_worthwhile && input.size(0) > 0 && height >= 4 && width % 16 == 0 &&
         height * width >= 256 && weight.size(0) >= 16 && weight.size(1) >= 16;
}

}  // namespace

Tensor convolved_3x3(const Tensor &input, const Tensor &weight, const Tensor &bias) {
  if (!fits_kernels(input, weight))
    return at::convolution(input, weight, bias, {1, 1}, {1, 1}, {1, 1}, false, {0, 0}, 1);
  const Tensor in = input.contiguous(), kernels = weight.contiguous(), added = bias.to(at::kFloat).contiguous();
  Tensor output = at::empty({in.size(0), kernels.size(0), in.size(2), in.size(3)}, in.options());
  DDN_BEST(convolution_kernels)
      .forward({shape_of(in, kernels), in.const_data_ptr<float>(), kernels.const_data_ptr<float>(),
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
      .backward({shape_of(in, kernels), gradient.const_data_ptr<float>(), in.const_data_ptr<float>(),
                 kernels.const_data_ptr<float>(), of_input.data_ptr<float>(), of_weight.data_ptr<float>()});
  return {of_input, of_weight, gradient.sum({0, 2, 3})};
}
