// The images of chosen nodes, and their gradient, for the instruction set DDN_ISA. A row's images stay in the cache.
#include "chosen_images_kernels.h"

#include <algorithm>

#include "node_rows.h"
#include "partial_sums.h"

namespace DDN_ISA {
namespace {

void forward(const ChosenImages &call, float *const *images) {
  const auto [nodes, channels, features, pixels] = call.shape;
  const int length = up_to_lanes(pixels);
  const auto offsets = offsets_of_rows(features, length);
  parallel_for(call.rows, [&](int64_t first, int64_t last, int64_t) {
    PaddedRows inputs(features, pixels);
    ScratchBuffer packed(size_t(channels) * features), image(size_t(channels) * length);
    for (int64_t row = first; row < last; ++row) {
      const int64_t parent = call.parent_of_row ? call.parent_of_row[row] : row;
      pack(call.weights + call.node_of_row[row] * channels * features, channels, features, packed);
      for (int group = 0; group < call.groups; ++group) {
        const float *from = inputs.of(call.features + (parent * call.groups + group) * features * pixels);
        float *to = images[group] + row * channels * pixels;
        shifted_products(from, offsets.data(), features, packed, nullptr, channels, length == pixels ? to : image,
                         length, pixels);
        if (length != pixels)
          for (int c = 0; c < channels; ++c) std::memcpy(to + c * pixels, image + c * length, pixels * sizeof(float));
      }
    }
  });
}

void backward(const ChosenImages &call, const float *const *image_gradients, float *feature_gradient,
              float *weight_gradient) {
  const auto [nodes, channels, features, pixels] = call.shape;
  const int length = up_to_lanes(pixels);
  const ptrdiff_t node_size = ptrdiff_t(channels) * features;
  const auto offsets = offsets_of_rows(std::max(features, channels), length);
  const Readers children(call.parent_of_row, call.parents, call.rows);
  PartialSums weight_sums(call.parents, nodes * node_size);
  parallel_for(call.parents, [&](int64_t first, int64_t last, int64_t part) {
    float *sums = weight_sums.of_part(part);
    PaddedRows inputs(features, pixels), outputs(channels, pixels);
    ScratchBuffer packed(node_size), back(size_t(features) * length);
    for (int64_t parent = first; parent < last; ++parent)
      for (int group = 0; group < call.groups; ++group) {
        const ptrdiff_t place = (parent * call.groups + group) * features * pixels;
        float *to = feature_gradient ? feature_gradient + place : nullptr;
        bool begun = false;
        const float *from = inputs.of(call.features + place);
        for (int64_t n = children.starts[parent]; n < children.starts[parent + 1]; ++n) {
          const int64_t row = children.order[n], node = call.node_of_row[row];
          if (!image_gradients[group]) break;
          const float *given = outputs.of(image_gradients[group] + row * channels * pixels);
          shifted_correlations(from, offsets.data(), features, given, length, channels, length,
                               sums + node * node_size, features);
          if (!to) continue;
          const float *weight = call.weights + node * node_size;
          pack(features, channels, packed, [=](int f, int c) { return weight[c * features + f]; });  // transposed
          const bool direct = length == pixels && !begun;
          shifted_products(given, offsets.data(), channels, packed, nullptr, features, direct ? to : back, length,
                           pixels);
          if (!direct)
            for (int f = 0; f < features; ++f)
              for (int i = 0; i < pixels; ++i)
                to[f * pixels + i] = (begun ? to[f * pixels + i] : 0.0f) + back[f * length + i];
          begun = true;
        }
        if (to && !begun) std::fill_n(to, features * pixels, 0.0f);
      }
  });
  std::copy_n(weight_sums.total(), nodes * node_size, weight_gradient);
}

}  // namespace

extern const ChosenImagesKernels chosen_images_kernels;
const ChosenImagesKernels chosen_images_kernels{forward, backward};

}  // namespace DDN_ISA
