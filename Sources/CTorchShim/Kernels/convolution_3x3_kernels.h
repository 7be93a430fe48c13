// 3x3 convolutions: the kernels that are compiled for each instruction set.
#pragma once
#include "convolution_shape.h"
#include "instruction_sets.h"

// Arrays are [samples, channels, H, W], [outputs, inputs, 3, 3] and [outputs].
struct Convolution3x3Forward {
  ConvolutionShape shape;
  const float *input, *weight, *bias;
  float *output;
};

struct Convolution3x3Backward {
  ConvolutionShape shape;
  const float *output_gradient, *input, *weight;
  float *input_gradient, *weight_gradient;
};

struct Convolution3x3Kernels {
  // Whether they are faster than libtorch's with these instructions.
  bool is_worthwhile;
  void (*forward)(const Convolution3x3Forward &);
  void (*backward)(const Convolution3x3Backward &);
};

DDN_DECLARE_KERNELS(Convolution3x3Kernels, convolution_3x3_kernels)
