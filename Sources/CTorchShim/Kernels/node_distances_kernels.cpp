// Distances of all nodes' images from their targets, for the instruction set DDN_ISA. A row's images stay in the cache.
#include "node_distances_kernels.h"

#include <algorithm>

#include "node_rows.h"
#include "parallel_loops.h"

namespace DDN_ISA {
namespace {

float dot(const float *one, const float *two, int length) {
  Vector sums = {};
  for (int i = 0; i < length; i += lanes) sums += load(one + i) * load(two + i);
  return sum(sums);
}

// Nodes whose results are computed before they are used: few enough for the cache.
int nodes_at_once(const NodeShape &shape, int length) {
  return std::max(1, std::min(shape.nodes, 32 * 1024 / (shape.channels * length)));
}

void pack_nodes(const NodeDistances &call, int at_once, float *packed) {
  const auto [nodes, channels, features, pixels] = call.shape;
  for (int node = 0; node < nodes; node += at_once)
    pack(call.weights + ptrdiff_t(node) * channels * features, std::min(at_once, nodes - node) * channels, features,
         packed + ptrdiff_t(node) * channels * features);
}

void distances_by_images(const NodeDistances &call) {
  const auto [nodes, channels, features, pixels] = call.shape;
  const int length = up_to_lanes(pixels), at_once = nodes_at_once(call.shape, length);
  ScratchBuffer packed(size_t(nodes) * channels * features);
  pack_nodes(call, at_once, packed);
  const auto offsets = offsets_of_rows(features, length);
  const Readers readers(call.row_of_sample, call.rows, call.samples);
  const float scale = 1.0f / (float(channels) * pixels);
  parallel_for(call.rows, [&](int64_t first, int64_t last, int64_t) {
    PaddedRows row_features(features, pixels), residuals(channels, pixels);
    ScratchBuffer images(size_t(at_once) * channels * length);
    for (int64_t row = first; row < last; ++row) {
      const float *from = row_features.of(call.features + row * call.row_stride);
      for (int node = 0; node < nodes; node += at_once) {
        const int now = std::min(at_once, nodes - node);
        shifted_products(from, offsets.data(), features, packed + ptrdiff_t(node) * channels * features, nullptr,
                         now * channels, images, length, pixels);
        for (int64_t n = readers.starts[row]; n < readers.starts[row + 1]; ++n) {
          const int64_t sample = readers.order[n];
          const float *residual = residuals.of(call.residual + sample * channels * pixels);
          for (int k = 0; k < now; ++k) {
            Vector sums = {};
            for (int i = 0; i < channels * length; i += lanes) {
              const Vector difference = load(images + k * channels * length + i) - load(residual + i);
              sums += difference * difference;
            }
            call.distances[sample * nodes + node + k] = sum(sums) * scale;
          }
        }
      }
    }
  });
}

// |W X - r|^2 = <W (X X^T), W> - 2 <W, r X^T> + |r|^2; of features in a basis <W (X (B B^T) X^T), W> - 2 <W, (r B^T) X^T>
// + |r|^2.
void distances_by_products(const NodeDistances &call) {
  const auto [nodes, channels, features, pixels] = call.shape;
  const int length = up_to_lanes(pixels), width = up_to_lanes(features);
  const int at_once = nodes_at_once(call.shape, width);
  ScratchBuffer packed(size_t(nodes) * channels * features);
  pack_nodes(call, at_once, packed);
  PaddedRows weight_rows(nodes * channels, features);
  const float *weights = weight_rows.of(call.weights);
  const auto pixel_offsets = offsets_of_rows(features, length), feature_offsets = offsets_of_rows(features, width);

  // <W (X X^T), W>, which no target changes: [rows, K].
  ScratchBuffer squares(size_t(call.rows) * nodes);
  parallel_for(call.rows, [&](int64_t first, int64_t last, int64_t) {
    PaddedRows row_features(features, pixels), row_mapped(features, pixels);
    ScratchBuffer products(size_t(features) * width), mapped(size_t(at_once) * channels * width);
    for (int64_t row = first; row < last; ++row) {
      const float *from = row_features.of(call.features + row * call.row_stride);
      const float *mapped_from =
          call.mapped_features ? row_mapped.of(call.mapped_features + row * features * pixels) : from;
      std::fill_n(static_cast<float *>(products), size_t(features) * width, 0.0f);
      for (int f = 0; f < features; f += rows_at_once) {  // From the diagonal on: the matrix is symmetric.
        const int now = std::min(rows_at_once, features - f);
        shifted_correlations(from, pixel_offsets.data() + f, features - f, mapped_from + f * length, length, now, length,
                             products + f * width + f, width);
      }
      for (int f = 0; f < features; ++f)
        for (int g = f + 1; g < features; ++g) products[g * width + f] = products[f * width + g];
      for (int node = 0; node < nodes; node += at_once) {
        const int now = std::min(at_once, nodes - node);
        shifted_products(products, feature_offsets.data(), features, packed + ptrdiff_t(node) * channels * features,
                         nullptr, now * channels, mapped, width, features);
        for (int k = 0; k < now; ++k)
          squares[row * nodes + node + k] = dot(mapped + k * channels * width,
                                                weights + ptrdiff_t(node + k) * channels * width, channels * width);
      }
    }
  });

  const float scale = 1.0f / (float(channels) * pixels);
  parallel_for(call.samples, [&](int64_t first, int64_t last, int64_t) {
    PaddedRows row_features(features, pixels), residuals(channels, pixels);
    ScratchBuffer mixed(size_t(channels) * width);  // r X^T
    int64_t last_row = -1;
    const float *from = nullptr;
    for (int64_t sample = first; sample < last; ++sample) {
      const int64_t row = call.row_of_sample ? call.row_of_sample[sample] : sample;
      if (row != last_row) from = row_features.of(call.features + row * call.row_stride);
      last_row = row;
      const float *residual = residuals.of(call.residual + sample * channels * pixels);
      std::fill_n(static_cast<float *>(mixed), size_t(channels) * width, 0.0f);
      shifted_correlations(from, pixel_offsets.data(), features, residual, length, channels, length, mixed, width);
      const float square =
          call.residual_squares ? call.residual_squares[sample] : dot(residual, residual, channels * length);
      for (int node = 0; node < nodes; ++node) {
        const float along = dot(mixed, weights + ptrdiff_t(node) * channels * width, channels * width);
        call.distances[sample * nodes + node] = (squares[row * nodes + node] - 2 * along + square) * scale;
      }
    }
  });
}

void distances(const NodeDistances &call) {
  call.by_images ? distances_by_images(call) : distances_by_products(call);
}

}  // namespace

extern const NodeDistancesKernels node_distances_kernels;
const NodeDistancesKernels node_distances_kernels{distances};

}  // namespace DDN_ISA
