// What resampling.cpp asks of the kernels that are compiled for each instruction set.
#pragma once
#include <cstdint>

// 4x4 kernels, stride 2, padding 1, between [samples, low, h, w] and [samples, high, 2h, 2w].
struct ResamplingShape {
  int64_t samples;
  int low, high;      // channels
  int height, width;  // of the smaller images
};

struct ResamplingKernels {
  // The smaller images from the larger: a convolution. `bias` may be null.
  void (*down)(const ResamplingShape &, const float *high, const float *weight, const float *bias, float *low);
  // The larger images from the smaller: the transposed convolution. `bias` may be null.
  void (*up)(const ResamplingShape &, const float *low, const float *weight, const float *bias, float *high);
  // The gradient of [low, high, 4, 4] weights, of either.
  void (*weight_gradient)(const ResamplingShape &, const float *low, const float *high, float *gradient);
};
