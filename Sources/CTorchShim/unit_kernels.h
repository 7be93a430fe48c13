// What unit.cpp asks of the kernels that are compiled for each instruction set.
#pragma once
#include "convolution_shape.h"

struct UnitForward {
  ConvolutionShape shape;
  const float *input;           // [samples, inputs, H, W]
  const float *scale, *shift;   // [inputs, H, W]
  const float *weight, *bias;   // [outputs, inputs, 3, 3], [outputs]
  float epsilon;
  float *output;                // [samples, outputs, H, W]
  float *convolved;             // the same before SiLU; null when no gradient will be asked for
  float *mean, *deviation;      // [samples] of the norm: mean and 1 / standard deviation; null likewise
};

struct UnitBackward {
  ConvolutionShape shape;
  const float *output_gradient, *input, *scale, *shift, *weight, *convolved, *mean, *deviation;
  float *input_gradient;  // null when nobody asks
  float *scale_gradient, *shift_gradient, *weight_gradient, *bias_gradient;
};

struct UnitKernels {
  void (*forward)(const UnitForward &);
  void (*backward)(const UnitBackward &);
};
