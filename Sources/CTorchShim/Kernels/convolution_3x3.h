// 3x3 convolutions with stride 1 and padding 1: input [N, in, H, W], weight [out, in, 3, 3], bias [out].
//
// On a CPU in float32, for enough channels and pixels, by kernels with half of the multiplications; otherwise
// libtorch's.
#pragma once
#include <ATen/ATen.h>

#include <tuple>

#include "convolution_shape.h"

inline ConvolutionShape convolution_shape(const at::Tensor &input, const at::Tensor &weight) {
  return {input.size(0), static_cast<int>(input.size(1)), static_cast<int>(weight.size(0)),
          static_cast<int>(input.size(2)), static_cast<int>(input.size(3))};
}

// Both record nothing for a gradient.
at::Tensor convolution_3x3(const at::Tensor &input, const at::Tensor &weight, const at::Tensor &bias);

// The gradients of input, weight and bias.
std::tuple<at::Tensor, at::Tensor, at::Tensor> convolution_3x3_backward(const at::Tensor &gradient,
                                                                        const at::Tensor &input,
                                                                        const at::Tensor &weight);
