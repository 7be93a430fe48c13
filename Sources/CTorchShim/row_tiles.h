// 3x3 convolutions, and their gradients, with half of the multiplications: Winograd's minimal filtering F(4, 3), down the
// columns (S. Winograd, "Arithmetic Complexity of Computations", 1980; A. Lavin and S. Gray, "Fast Algorithms for
// Convolutional Neural Networks", 2016). Part of a file of kernels.
//
// Four rows of the result, a *tile*, need the six rows d0...d5 of the input around them. Take a column of pixels and a
// column of a kernel for polynomials: the kernel's at six points, times six sums of pixels, gives six products where twelve
// would be, and sums of those are the four pixels of the result. Sums are made once for all columns and channels that use
// them: images, results and kernels become six *planes*, and a plane of the results comes from that plane of the images and
// of the kernels alone, by sums of rows that are shifted sideways. All of it is linear, so gradients go back through the
// same sums, turned around.
//
// The points are 0, +-a, +-b and infinity with a = 5/8 and b = 5/4: of the small fractions, those that round least, 1.4 times
// the error of the sums themselves. The usual 1 and 2 have 2.1 times.
#pragma once
#include <array>

#include "strip.h"

namespace DDN_ISA {
namespace {

constexpr int planes = 6, tile_rows = 4;

struct Points {
  static constexpr float a = 0.625f, b = 1.25f;  // all that follows is exact
  static constexpr float a2 = a * a, b2 = b * b, a3 = a * a2, b3 = b * b2, product = a2 * b2, sum = a2 + b2;
};

// What a column g0, g1, g2 of a kernel gives at each point p: (g0 + p g1 + p^2 g2) / product of p - q for other points q.
using KernelFactors = std::array<double, 3>;
constexpr KernelFactors kernel_factors_at(double p, double other) {
  const double by = 2 * p * p * (p * p - other * other);
  return {1 / by, p / by, p * p / by};
}
constexpr KernelFactors kernel_factors[planes] = {
    {1 / double(Points::product), 0, 0},
    kernel_factors_at(Points::a, Points::b),
    kernel_factors_at(-Points::a, Points::b),
    kernel_factors_at(Points::b, Points::a),
    kernel_factors_at(-Points::b, Points::a),
    {0, 0, 1}};

// Where the planes of a strip of images lie: plane p of channel c is channel p * channels + c of a strip.
struct RowTiles {
  int height, width;
  int tiles;  // in an image; below a height that is no multiple of four lie rows of zeros
  Strip strip;

  RowTiles(int64_t samples, int height, int width, int channels)
      : height(height), width(width), tiles((height + tile_rows - 1) / tile_rows),
        strip(samples, tiles, width, planes * channels, 0) {}

  float *plane(float *strips, int plane, int channels) const { return strips + plane * channels * strip.stride; }

  std::vector<ptrdiff_t> taps(int channels) const {
    std::vector<ptrdiff_t> offsets;
    for (int channel = 0; channel < channels; ++channel)
      for (int x = -1; x <= 1; ++x) offsets.push_back(strip.tap(channel, 0, x));
    return offsets;
  }

  // A channel of an image into its planes. row_at(n, i) is the n pixels from i on, of the channel's [H, W].
  template <typename RowAt>
  void write(const RowAt &row_at, float *strips, int image, int channel, int channels) const {
    using P = Points;
    float *first = strip.pixels(strips, channel, image);
    const ptrdiff_t plane = channels * strip.stride, pitch = strip.pitch;
    const int height = this->height;
    for_columns([=, &row_at](auto n, int x, auto width) {
      const auto row = [&](int y) { return y < height ? row_at(n, y * width + x) : Row<n>{}; };
      Row<n> d0 = {}, d1 = row(0);
      float *to = first + x;
      for (int y = 1; y <= height; y += tile_rows, to += pitch) {
        const Row<n> d2 = row(y), d3 = row(y + 1), d4 = row(y + 2), d5 = row(y + 3);
        const Row<n> even_a = d4 - P::b2 * d2, odd_a = d3 - P::b2 * d1;
        const Row<n> even_b = d4 - P::a2 * d2, odd_b = d3 - P::a2 * d1;
        store_row<n>(to, P::product * d0 - P::sum * d2 + d4);
        store_row<n>(to + plane, even_a + P::a * odd_a);
        store_row<n>(to + 2 * plane, even_a - P::a * odd_a);
        store_row<n>(to + 3 * plane, even_b + P::b * odd_b);
        store_row<n>(to + 4 * plane, even_b - P::b * odd_b);
        store_row<n>(to + 5 * plane, P::product * d1 - P::sum * d3 + d5);
        d0 = d4, d1 = d5;
      }
    });
  }

  // The gradient of `write`: that of a channel of an image out of its planes, [H, W].
  void read_gradient(float *strips, int image, int channel, int channels, float *rows) const {
    using P = Points;
    const float *first = strip.pixels(strips, channel, image);
    const ptrdiff_t plane = channels * strip.stride, pitch = strip.pitch;
    const int height = this->height;
    for_columns([=](auto n, int x, auto width) {
      const auto put = [&](int y, Row<n> row) {
        if (y >= 0 && y < height) store_row<n>(rows + y * width + x, row);
      };
      const float *from = first + x;
      Row<n> d4 = {}, d5 = {};  // what the tile before has of this one's d0 and d1
      int y = -1;
      for (; y < height - 1; y += tile_rows, from += pitch) {
        const Row<n> zero = load_row<n>(from), infinity = load_row<n>(from + 5 * plane);
        const Row<n> plus_a = load_row<n>(from + plane), minus_a = load_row<n>(from + 2 * plane);
        const Row<n> plus_b = load_row<n>(from + 3 * plane), minus_b = load_row<n>(from + 4 * plane);
        const Row<n> even_a = plus_a + minus_a, even_b = plus_b + minus_b;
        const Row<n> odd_a = P::a * (plus_a - minus_a), odd_b = P::b * (plus_b - minus_b);
        put(y, d4 + P::product * zero);
        put(y + 1, d5 - P::b2 * odd_a - P::a2 * odd_b + P::product * infinity);
        put(y + 2, -(P::sum * zero + P::b2 * even_a + P::a2 * even_b));
        put(y + 3, odd_a + odd_b - P::sum * infinity);
        d4 = zero + even_a + even_b, d5 = infinity;
      }
      put(y, d4);
    });
  }

  // A channel of the result out of its planes, [H, W].
  void read(float *strips, int image, int channel, int channels, float bias, float *rows) const {
    using P = Points;
    const float *first = strip.pixels(strips, channel, image);
    const ptrdiff_t plane = channels * strip.stride, pitch = strip.pitch;
    const int height = this->height;
    for_columns([=](auto n, int x, auto width) {
      const auto put = [&](int y, Row<n> row) {
        if (y < height) store_row<n>(rows + y * width + x, row + bias);
      };
      const float *from = first + x;
      for (int y = 0; y < height; y += tile_rows, from += pitch) {
        const Row<n> plus_a = load_row<n>(from + plane), minus_a = load_row<n>(from + 2 * plane);
        const Row<n> plus_b = load_row<n>(from + 3 * plane), minus_b = load_row<n>(from + 4 * plane);
        const Row<n> even_a = plus_a + minus_a, even_b = plus_b + minus_b;
        const Row<n> odd_a = plus_a - minus_a, odd_b = plus_b - minus_b;
        put(y, load_row<n>(from) + even_a + even_b);
        put(y + 1, P::a * odd_a + P::b * odd_b);
        put(y + 2, P::a2 * even_a + P::b2 * even_b);
        put(y + 3, P::a3 * odd_a + P::b3 * odd_b + load_row<n>(from + 5 * plane));
      }
    });
  }

  // The gradient of `read`: that of a channel of the result, [H, W], into its planes.
  void write_gradient(const float *rows, float *strips, int image, int channel, int channels) const {
    using P = Points;
    float *first = strip.pixels(strips, channel, image);
    const ptrdiff_t plane = channels * strip.stride, pitch = strip.pitch;
    const int height = this->height;
    for_columns([=](auto n, int x, auto width) {
      const auto row = [&](int y) { return y < height ? load_row<n>(rows + y * width + x) : Row<n>{}; };
      float *to = first + x;
      for (int y = 0; y < height; y += tile_rows, to += pitch) {
        const Row<n> r0 = row(y), r1 = row(y + 1), r2 = row(y + 2), r3 = row(y + 3);
        const Row<n> even_a = r0 + P::a2 * r2, odd_a = P::a * r1 + P::a3 * r3;
        const Row<n> even_b = r0 + P::b2 * r2, odd_b = P::b * r1 + P::b3 * r3;
        store_row<n>(to, r0);
        store_row<n>(to + plane, even_a + odd_a);
        store_row<n>(to + 2 * plane, even_a - odd_a);
        store_row<n>(to + 3 * plane, even_b + odd_b);
        store_row<n>(to + 4 * plane, even_b - odd_b);
        store_row<n>(to + 5 * plane, r3);
      }
    });
  }

  // One plane [outputs, inputs, 3] of kernels [outputs, inputs, 3, 3].
  static void write_kernels(const float *kernels, int plane, ptrdiff_t outputs_and_inputs, float *to) {
    const auto [g0, g1, g2] = kernel_factors[plane];
    for (ptrdiff_t n = 0; n < outputs_and_inputs; ++n, kernels += 9, to += 3)
      for (int x = 0; x < 3; ++x)
        to[x] = static_cast<float>(g0 * kernels[x] + g1 * kernels[3 + x] + g2 * kernels[6 + x]);
  }

  // The gradient of `write_kernels`, from all planes [6, outputs, inputs, 3].
  static void read_kernels_gradient(const float *planes_of_kernels, ptrdiff_t outputs_and_inputs, float *kernels) {
    for (ptrdiff_t n = 0; n < outputs_and_inputs; ++n, kernels += 9, planes_of_kernels += 3)
      for (int x = 0; x < 3; ++x) {
        double g[3] = {};
        for (int plane = 0; plane < planes; ++plane)
          for (int y = 0; y < 3; ++y)
            g[y] += kernel_factors[plane][y] * planes_of_kernels[plane * outputs_and_inputs * 3 + x];
        for (int y = 0; y < 3; ++y) kernels[y * 3 + x] = static_cast<float>(g[y]);
      }
  }

 private:
  // Runs body(n, x, width) for every n columns from x on that are one vector.
  template <typename Body>
  void for_columns(const Body &body) const {
    at_width(width, [&](auto width) {
      constexpr int n = row_lanes<decltype(width)>;
      for (int x = 0; x < width; x += n) body(std::integral_constant<int, n>(), x, width);
    });
  }
};

}  // namespace
}  // namespace DDN_ISA
