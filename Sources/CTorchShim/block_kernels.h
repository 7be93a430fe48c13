// What block.cpp asks of the kernels that are compiled for each instruction set: group norm and SiLU in one.
#pragma once
#include <cstdint>

struct ActivationShape {
  int64_t samples, pixels;
  int channels, groups;
};

// Arrays of `void` are [samples, channels, pixels] of bfloat16 or, when `is_bfloat16` is false, of float32.
struct ActivationForward {
  ActivationShape shape;
  bool is_bfloat16;
  const void *input;
  const float *scale, *shift;  // [channels]
  double epsilon;
  bool has_moments;            // mean and deviation are known from before; otherwise they are made here
  float *mean, *deviation;     // [samples, groups]: mean and 1 / standard deviation
  void *output;
};

struct ActivationBackward {
  ActivationShape shape;
  bool is_bfloat16;
  const void *output_gradient, *input;
  const float *scale, *shift, *mean, *deviation;
  void *input_gradient;
  float *scale_gradients, *shift_gradients;  // [samples, channels], each sample's part
};

struct BlockKernels {
  void (*forward)(const ActivationForward &);
  void (*backward)(const ActivationBackward &);
};
