// Distances of all nodes' images from their targets: the kernel that is compiled for each instruction set.
#pragma once
#include <cstddef>
#include <cstdint>

#include "instruction_sets.h"
#include "node_shape.h"

struct NodeDistances {
  NodeShape shape;
  int64_t rows, samples;
  const float *features;         // [rows, F, N]
  ptrdiff_t row_stride;          // floats from row to row of the features
  const float *weights;          // [K, C, F]
  const float *residual;         // [samples, C, N]
  const int64_t *row_of_sample;  // [samples]; null: sample b reads row b
  bool by_images;                // compute every image, or only products of features
  // Of features X B, given as coordinates X in a basis B, by products: X (B B^T) [rows, F, N], and |r|^2 [samples] of a
  // residual that is given as r B^T. Null for features that are given themselves.
  const float *mapped_features, *residual_squares;
  float *distances;              // [samples, K]
};

struct NodeDistancesKernels {
  void (*distances)(const NodeDistances &);
};

DDN_DECLARE_KERNELS(NodeDistancesKernels, node_distances_kernels)
