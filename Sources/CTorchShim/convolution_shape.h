// What a 3x3 convolution works on, in kernels of any instruction set.
#pragma once
#include <cstdint>

struct ConvolutionShape {
  int64_t samples;
  int inputs, outputs, height, width;
};
