// What convolution.cpp asks of the kernels that are compiled for each instruction set.
#pragma once
#include "convolution_shape.h"

// Arrays are [samples, channels, H, W], [outputs, inputs, 3, 3] and [outputs].
struct ConvolutionForward {
  ConvolutionShape shape;
  const float *input, *weight, *bias;
  float *output;
};

struct ConvolutionBackward {
  ConvolutionShape shape;
  const float *output_gradient, *input, *weight;
  float *input_gradient, *weight_gradient;
};

struct ConvolutionKernels {
  // Whether they are faster than libtorch's own on a processor that they are for.
  bool is_worthwhile;
  void (*forward)(const ConvolutionForward &);
  void (*backward)(const ConvolutionBackward &);
};
