// Group norm and SiLU: the kernels that are compiled for each instruction set.
#pragma once
#include <cstdint>

#include "instruction_sets.h"

struct GroupNormShape {
  int64_t samples, pixels;
  int channels, groups;
};

// Arrays of `void` are [samples, channels, pixels] of bfloat16 or, where `is_bfloat16` is false, of float32.
struct GroupNormSiluForward {
  GroupNormShape shape;
  bool is_bfloat16;
  const void *input;
  const float *scale, *shift;  // [channels]
  double epsilon;
  bool has_moments;    // mean and rstd are given; otherwise they are computed
  float *mean, *rstd;  // [samples, groups]
  void *output;
};

struct GroupNormSiluBackward {
  GroupNormShape shape;
  bool is_bfloat16;
  const void *output_gradient, *input;
  const float *scale, *shift, *mean, *rstd;
  void *input_gradient;
  float *scale_gradients, *shift_gradients;  // [samples, channels], per sample
};

struct GroupNormSiluKernels {
  void (*forward)(const GroupNormSiluForward &);
  void (*backward)(const GroupNormSiluBackward &);
};

DDN_DECLARE_KERNELS(GroupNormSiluKernels, group_norm_silu_kernels)
