// The images of chosen nodes, and their gradient: the kernels that are compiled for each instruction set.
#pragma once
#include <cstdint>

#include "instruction_sets.h"
#include "node_shape.h"

// Each group of F features of a row makes an image with the same node.
struct ChosenImages {
  NodeShape shape;
  int64_t rows, parents;
  int groups;
  const float *features;         // [parents, groups F, N]
  const float *weights;          // [K, C, F]
  const int64_t *parent_of_row;  // [rows]; null: row r reads parent r
  const int64_t *node_of_row;    // [rows]
};

struct ChosenImagesKernels {
  // `images` has [rows, C, N] for each group.
  void (*forward)(const ChosenImages &, float *const *images);
  // `image_gradients` are null where an image has none; `feature_gradient`, [parents, groups F, N], may be null;
  // `weight_gradient` is [K, C, F].
  void (*backward)(const ChosenImages &, const float *const *image_gradients, float *feature_gradient,
                   float *weight_gradient);
};

DDN_DECLARE_KERNELS(ChosenImagesKernels, chosen_images_kernels)
