// 3x3 convolutions with a step of 1 and a pixel of zeros around: input [N, in, H, W], weight [out, in, 3, 3], bias
// [out].
//
// On a CPU in float32, where there is enough to do, by kernels with half of the multiplications; otherwise libtorch's.
#pragma once
#include <ATen/ATen.h>

#include <tuple>

#include "convolution_shape.h"

inline ConvolutionShape convolution_shape(const at::Tensor &input, const at::Tensor &weight) {
  return {input.size(0), static_cast<int>(input.size(1)), static_cast<int>(weight.size(0)),
          static_cast<int>(input.size(2)), static_cast<int>(input.size(3))};
}

at::Tensor convolved_3x3(const at::Tensor &input, const at::Tensor &weight, const at::Tensor &bias);

// The gradients of input, weight and bias.
std::tuple<at::Tensor, at::Tensor, at::Tensor> convolved_3x3_backward(
    const at::Tensor &output_gradient, const at::Tensor &input, const at::Tensor &weight);
