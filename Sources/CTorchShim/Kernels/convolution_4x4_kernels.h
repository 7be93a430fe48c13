// 4x4 convolutions down and up: the kernels that are compiled for each instruction set.
#pragma once
#include <cstdint>

#include "instruction_sets.h"

// Stride 2 and padding 1, between [samples, low, h, w] and [samples, high, 2h, 2w].
struct Convolution4x4Shape {
  int64_t samples;
  int low, high;      // channels
  int height, width;  // h, w
};

struct Convolution4x4Kernels {
  // The convolution: smaller images from larger ones. `bias` may be null.
  void (*down)(const Convolution4x4Shape &, const float *high, const float *weight, const float *bias, float *low);
  // The transposed convolution: larger images from smaller ones. `bias` may be null.
  void (*up)(const Convolution4x4Shape &, const float *low, const float *weight, const float *bias, float *high);
  // The gradient of the weights [low, high, 4, 4], of either.
  void (*weight_gradient)(const Convolution4x4Shape &, const float *low, const float *high, float *gradient);
};

DDN_DECLARE_KERNELS(Convolution4x4Kernels, convolution_4x4_kernels)
