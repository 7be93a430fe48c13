// Layer norm, 3x3 convolution and SiLU: the kernels that are compiled for each instruction set.
#pragma once
#include "convolution_shape.h"
#include "instruction_sets.h"

struct LayerNormConvolutionSiluForward {
  ConvolutionShape shape;
  const float *input;          // [samples, inputs, H, W]
  const float *scale, *shift;  // [inputs, H, W]
  const float *weight, *bias;  // [outputs, inputs, 3, 3], [outputs]
  float epsilon;
  float *output;       // [samples, outputs, H, W]
  float *convolved;    // the same before SiLU; null without gradients
  float *mean, *rstd;  // [samples], of the norm; null without gradients
};

struct LayerNormConvolutionSiluBackward {
  ConvolutionShape shape;
  const float *output_gradient, *input, *scale, *shift, *weight, *convolved, *mean, *rstd;
  float *input_gradient;  // may be null
  float *scale_gradient, *shift_gradient, *weight_gradient, *bias_gradient;
};

struct LayerNormConvolutionSiluKernels {
  void (*forward)(const LayerNormConvolutionSiluForward &);
  void (*backward)(const LayerNormConvolutionSiluBackward &);
};

DDN_DECLARE_KERNELS(LayerNormConvolutionSiluKernels, layer_norm_convolution_silu_kernels)
