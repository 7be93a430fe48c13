// The sizes of a 3x3 convolution in kernels.
#pragma once
#include <cstdint>

struct ConvolutionShape {
  int64_t samples;
  int inputs, outputs, height, width;
};
