// What nodes.cpp asks of the kernels that are compiled for each instruction set.
#pragma once
#include <cstddef>
#include <cstdint>

// Numbers of a discrete distribution layer: K nodes of C channels read F features of N pixels.
struct NodeShape {
  int nodes, channels, features, pixels;
};

struct DistancesCall {
  NodeShape shape;
  int64_t rows, samples;
  const float *features;         // [rows, F, N], `row_stride` floats from row to row
  ptrdiff_t row_stride;
  const float *weights;          // [K, C, F]
  const float *residual;         // [samples, C, N]
  const int64_t *row_of_sample;  // null: sample b reads row b
  bool by_images;                // make every image, or only products of features
  float *distances;              // [samples, K]
};

// Of each row's features, every `group` of F makes an image with the same node.
struct ChosenCall {
  NodeShape shape;
  int64_t rows, parents;
  int groups;
  const float *features;          // [parents, groups F, N]
  const float *weights;           // [K, C, F]
  const int64_t *parent_of_row;   // null: row r reads parent r
  const int64_t *node_of_row;
  float *images[2];               // for each group [rows, C, N]
};

struct ChosenGradientCall {
  ChosenCall forward;               // without images
  const float *image_gradients[2];  // null for none
  float *feature_gradient;          // [parents, groups F, N]; null when nobody asks
  float *weight_gradient;           // [K, C, F]
};

struct NodeKernels {
  void (*distances)(const DistancesCall &);
  void (*chosen)(const ChosenCall &);
  void (*chosen_gradient)(const ChosenGradientCall &);
};
