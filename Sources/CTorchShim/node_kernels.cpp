// The kernels of nodes.cpp for one instruction set, whose name is DDN_ISA; a sample's images stay in the cache.
#include "node_kernels.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "parts.h"
#include "shifted_products.h"

namespace DDN_ISA {
namespace {

// Rows [count, length] as vectors read them: in place, or copied with zeros up to whole vectors.
class Rows {
 public:
  Rows(int count, int length)
      : count(count), length(length), stride(up_to_lanes(length)), copy(stride == length ? 0 : size_t(count) * stride) {}

  const float *of(const float *rows) {
    if (stride == length) return rows;
    for (int row = 0; row < count; ++row) std::memcpy(copy + row * stride, rows + row * length, length * sizeof(float));
    return copy;
  }

  const int count, length, stride;

 private:
  Buffer copy;
};

std::vector<ptrdiff_t> offsets_of_rows(int count, ptrdiff_t stride) {
  std::vector<ptrdiff_t> offsets(count);
  for (int row = 0; row < count; ++row) offsets[row] = row * stride;
  return offsets;
}

float dot(const float *one, const float *two, int length) {
  Vector sums = {};
  for (int i = 0; i < length; i += lanes) sums += load(one + i) * load(two + i);
  return sum(sums);
}

// The samples that read each row: those of row r are order[starts[r]..<starts[r + 1]].
struct Readers {
  std::vector<int64_t> starts, order;

  Readers(const int64_t *row_of_sample, int64_t rows, int64_t samples) : starts(rows + 1), order(samples) {
    const auto row_of = [&](int64_t sample) { return row_of_sample ? row_of_sample[sample] : sample; };
    for (int64_t sample = 0; sample < samples; ++sample) ++starts[row_of(sample) + 1];
    for (int64_t row = 0; row < rows; ++row) starts[row + 1] += starts[row];
    std::vector<int64_t> next(starts.begin(), starts.end() - 1);
    for (int64_t sample = 0; sample < samples; ++sample) order[next[row_of(sample)]++] = sample;
  }
};

// Nodes whose results are made before they are used up: few enough for the cache.
int nodes_at_once(const NodeShape &shape, int length) {
  return std::max(1, std::min(shape.nodes, 32 * 1024 / (shape.channels * length)));
}

void pack_nodes(const DistancesCall &call, int at_once, float *packed) {
  const auto [nodes, channels, features, pixels] = call.shape;
  for (int node = 0; node < nodes; node += at_once)
    pack(call.weights + ptrdiff_t(node) * channels * features, std::min(at_once, nodes - node) * channels, features,
         packed + ptrdiff_t(node) * channels * features);
}

void distances_by_images(const DistancesCall &call) {
  const auto [nodes, channels, features, pixels] = call.shape;
  const int length = up_to_lanes(pixels), at_once = nodes_at_once(call.shape, length);
  Buffer packed(size_t(nodes) * channels * features);
  pack_nodes(call, at_once, packed);
  const auto offsets = offsets_of_rows(features, length);
  const Readers readers(call.row_of_sample, call.rows, call.samples);
  const float scale = 1.0f / (float(channels) * pixels);
  in_parts(call.rows, [&](int64_t first, int64_t last, int64_t) {
    Rows row_features(features, pixels), residuals(channels, pixels);
    Buffer images(size_t(at_once) * channels * length);
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

// |W X - r|^2 = <W (X X^T), W> - 2 <W, r X^T> + |r|^2.
void distances_by_products(const DistancesCall &call) {
  const auto [nodes, channels, features, pixels] = call.shape;
  const int length = up_to_lanes(pixels), width = up_to_lanes(features);
  const int at_once = nodes_at_once(call.shape, width);
  Buffer packed(size_t(nodes) * channels * features);
  pack_nodes(call, at_once, packed);
  Rows weight_rows(nodes * channels, features);
  const float *weights = weight_rows.of(call.weights);
  const auto pixel_offsets = offsets_of_rows(features, length), feature_offsets = offsets_of_rows(features, width);

  // <W (X X^T), W>, which the target has no part in: [rows, K].
  Buffer squares(size_t(call.rows) * nodes);
  in_parts(call.rows, [&](int64_t first, int64_t last, int64_t) {
    Rows row_features(features, pixels);
    Buffer products(size_t(features) * width), mapped(size_t(at_once) * channels * width);
    for (int64_t row = first; row < last; ++row) {
      const float *from = row_features.of(call.features + row * call.row_stride);
      std::fill_n(static_cast<float *>(products), size_t(features) * width, 0.0f);
      for (int f = 0; f < features; f += rows_at_once) {  // From the diagonal on; the other half is the same.
        const int now = std::min(rows_at_once, features - f);
        shifted_correlations(from, pixel_offsets.data() + f, features - f, from + f * length, length, now, length,
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
  in_parts(call.samples, [&](int64_t first, int64_t last, int64_t) {
    Rows row_features(features, pixels), residuals(channels, pixels);
    Buffer mixed(size_t(channels) * width);  // r X^T
    int64_t last_row = -1;
    const float *from = nullptr;
    for (int64_t sample = first; sample < last; ++sample) {
      const int64_t row = call.row_of_sample ? call.row_of_sample[sample] : sample;
      if (row != last_row) from = row_features.of(call.features + row * call.row_stride);
      last_row = row;
      const float *residual = residuals.of(call.residual + sample * channels * pixels);
      std::fill_n(static_cast<float *>(mixed), size_t(channels) * width, 0.0f);
      shifted_correlations(from, pixel_offsets.data(), features, residual, length, channels, length, mixed, width);
      const float square = dot(residual, residual, channels * length);
      for (int node = 0; node < nodes; ++node) {
        const float along = dot(mixed, weights + ptrdiff_t(node) * channels * width, channels * width);
        call.distances[sample * nodes + node] = (squares[row * nodes + node] - 2 * along + square) * scale;
      }
    }
  });
}

void distances(const DistancesCall &call) {
  call.by_images ? distances_by_images(call) : distances_by_products(call);
}

void chosen(const ChosenCall &call) {
  const auto [nodes, channels, features, pixels] = call.shape;
  const int length = up_to_lanes(pixels);
  const auto offsets = offsets_of_rows(features, length);
  in_parts(call.rows, [&](int64_t first, int64_t last, int64_t) {
    Rows inputs(features, pixels);
    Buffer packed(size_t(channels) * features), image(size_t(channels) * length);
    for (int64_t row = first; row < last; ++row) {
      const int64_t parent = call.parent_of_row ? call.parent_of_row[row] : row;
      pack(call.weights + call.node_of_row[row] * channels * features, channels, features, packed);
      for (int group = 0; group < call.groups; ++group) {
        const float *from = inputs.of(call.features + (parent * call.groups + group) * features * pixels);
        float *to = call.images[group] + row * channels * pixels;
        shifted_products(from, offsets.data(), features, packed, nullptr, channels, length == pixels ? to : image,
                         length, pixels);
        if (length != pixels)
          for (int c = 0; c < channels; ++c) std::memcpy(to + c * pixels, image + c * length, pixels * sizeof(float));
      }
    }
  });
}

void chosen_gradient(const ChosenGradientCall &gradient) {
  const ChosenCall &call = gradient.forward;
  const auto [nodes, channels, features, pixels] = call.shape;
  const int length = up_to_lanes(pixels);
  const ptrdiff_t node_size = ptrdiff_t(channels) * features;
  const auto offsets = offsets_of_rows(std::max(features, channels), length);
  const Readers children(call.parent_of_row, call.parents, call.rows);
  std::vector<std::unique_ptr<Buffer>> weights_of_parts(parts_of(call.parents));
  in_parts(call.parents, [&](int64_t first, int64_t last, int64_t part) {
    auto weight_sums = std::make_unique<Buffer>(nodes * node_size);
    Rows inputs(features, pixels), outputs(channels, pixels);
    Buffer transposed(node_size), packed(node_size), back(size_t(features) * length);
    for (int64_t parent = first; parent < last; ++parent)
      for (int group = 0; group < call.groups; ++group) {
        const ptrdiff_t place = (parent * call.groups + group) * features * pixels;
        float *to = gradient.feature_gradient ? gradient.feature_gradient + place : nullptr;
        bool begun = false;
        const float *from = inputs.of(call.features + place);
        for (int64_t n = children.starts[parent]; n < children.starts[parent + 1]; ++n) {
          const int64_t row = children.order[n], node = call.node_of_row[row];
          if (!gradient.image_gradients[group]) break;
          const float *given = outputs.of(gradient.image_gradients[group] + row * channels * pixels);
          shifted_correlations(from, offsets.data(), features, given, length, channels, length,
                               *weight_sums + node * node_size, features);
          if (!to) continue;
          const float *weight = call.weights + node * node_size;
          for (int c = 0; c < channels; ++c)
            for (int f = 0; f < features; ++f) transposed[f * channels + c] = weight[c * features + f];
          pack(transposed, features, channels, packed);
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
    weights_of_parts[part] = std::move(weight_sums);
  });
  std::fill_n(gradient.weight_gradient, nodes * node_size, 0.0f);
  for (auto &sums : weights_of_parts)
    for (ptrdiff_t i = 0; i < nodes * node_size; ++i) gradient.weight_gradient[i] += (*sums)[i];
}

}  // namespace

extern const NodeKernels node_kernels;
const NodeKernels node_kernels{distances, chosen, chosen_gradient};

}  // namespace DDN_ISA
