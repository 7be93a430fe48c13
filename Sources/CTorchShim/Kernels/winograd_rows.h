// 3x3 convolutions and their gradients with half of the multiplications: Winograd's minimal filtering F(4, 3), down the
// columns (S. Winograd, "Arithmetic Complexity of Computations", 1980; A. Lavin and S. Gray, "Fast Algorithms for
// Convolutional Neural Networks", 2016). Included by kernels only.
//
// Four output rows, a *tile*, depend on the six input rows d0...d5 around them. In a column, pixels and a kernel g0,
// g1, g2 are polynomials, evaluated and multiplied at six points p instead of twelve products of their coefficients:
//
//   kernel at p   (g0 + p g1 + p^2 g2) / product of p - q    over the other finite points q; g2 at infinity
//   pixels at p   sum of c_i d_i                             where sum of c_i x^i is the product of x - q
//   output        row i is the sum of p^i times the product at p; the last row adds that at infinity
//
// Each transform is made once for all columns and channels that use it: inputs, outputs and kernels become six
// *planes*, one per point. A plane of the outputs depends on that plane of the inputs and of the kernels alone, by sums
// of rows shifted sideways. All of it is linear, so gradients go back through the transposed sums.
//
// The points are 0, +-a, +-b and infinity with a = 5/8 and b = 5/4, the small fractions with the least rounding: 1.4
// times the error of plain sums. The usual 1 and 2 have 2.1 times.
#pragma once
#include <array>

#include "image_strips.h"

namespace DDN_ISA {
namespace {

constexpr int planes = 6, tile_rows = 4;

struct Points {
  static constexpr float a = 0.625f, b = 1.25f;  // everything below is exact
  static constexpr float a2 = a * a, b2 = b * b, a3 = a * a2, b3 = b * b2, product = a2 * b2, sum = a2 + b2;
};

// Factors of g0, g1 and g2 of a kernel's column at each point.
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

// Pixels of a row in the planes. At a and -a they are the even powers of the point plus and minus the odd ones. Inlined
// by force: everything must stay in registers.
template <int n>
struct AtPoints {
  Row<n> zero, even_a, odd_a, even_b, odd_b, infinity;

  AtPoints() = default;

  // Reads plane p at from + p * plane, and takes sums and differences.
  __attribute__((always_inline)) AtPoints(const float *from, ptrdiff_t plane) {
    const Row<n> plus_a = load_row<n>(from + plane), minus_a = load_row<n>(from + 2 * plane);
    const Row<n> plus_b = load_row<n>(from + 3 * plane), minus_b = load_row<n>(from + 4 * plane);
    zero = load_row<n>(from), infinity = load_row<n>(from + 5 * plane);
    even_a = plus_a + minus_a, odd_a = plus_a - minus_a;
    even_b = plus_b + minus_b, odd_b = plus_b - minus_b;
  }

  __attribute__((always_inline)) void store(float *to, ptrdiff_t plane) const {
    store_row<n>(to, zero);
    store_row<n>(to + plane, even_a + odd_a);
    store_row<n>(to + 2 * plane, even_a - odd_a);
    store_row<n>(to + 3 * plane, even_b + odd_b);
    store_row<n>(to + 4 * plane, even_b - odd_b);
    store_row<n>(to + 5 * plane, infinity);
  }
};

// The rows of a channel, for `WinogradRows::write`.
struct ChannelRows {
  const float *pixels;  // [H, W]

  template <typename Count>
  Row<Count::value> operator()(Count n, int i) const { return load_row<n>(pixels + i); }
};

// The planes of a strip of images: plane p of channel c is channel p * channels + c of the strip. A height that is no
// multiple of four is padded with rows of zeros.
struct WinogradRows {
  int height, width;
  Strip strip;

  // Strips whose planes stay in the cache.
  static WinogradRows within_cache(int64_t samples, int height, int width, int channels) {
    return WinogradRows(height, width, Strip::within_cache(samples, tiles_of(height), width, planes * channels, 0));
  }

  // One strip of all samples.
  static WinogradRows whole(int samples, int height, int width) {
    return WinogradRows(height, width, Strip::whole(samples, tiles_of(height), width, 0));
  }

  float *plane(float *strips, int plane, int channels) const { return strips + plane * channels * strip.stride; }

  std::vector<ptrdiff_t> taps(int channels) const {
    std::vector<ptrdiff_t> offsets;
    for (int channel = 0; channel < channels; ++channel)
      for (int x = -1; x <= 1; ++x) offsets.push_back(strip.tap(channel, 0, x));
    return offsets;
  }

  // Zeros between and around the rows of a channel, in all planes.
  void clear_gaps(float *strips, int channel, int channels) const {
    for (int p = 0; p < planes; ++p) {
      float *start = strips + (p * channels + channel) * strip.stride, *pixels = start + strip.before;
      std::fill_n(start, strip.before, 0.0f);
      for (int gap = width; gap < strip.length; gap += strip.pitch) pixels[gap] = 0;
      std::fill(pixels + strip.length, start + strip.stride, 0.0f);
    }
  }

  // Writes a channel of an input image to its planes. row_at(n, i) is n pixels of the channel's [H, W], from pixel i
  // on.
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
        AtPoints<n> at;
        at.zero = P::product * d0 - P::sum * d2 + d4;
        at.even_a = d4 - P::b2 * d2, at.odd_a = P::a * (d3 - P::b2 * d1);
        at.even_b = d4 - P::a2 * d2, at.odd_b = P::b * (d3 - P::a2 * d1);
        at.infinity = P::product * d1 - P::sum * d3 + d5;
        at.store(to, plane);
        d0 = d4, d1 = d5;
      }
    });
  }

  // The gradient of `write`: reads a channel's gradient, [H, W], from that of its planes.
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
      Row<n> d4 = {}, d5 = {};  // the previous tile's share of this one's d0 and d1
      int y = -1;
      for (; y < height - 1; y += tile_rows, from += pitch) {
        const AtPoints<n> at(from, plane);
        const Row<n> odd_a = P::a * at.odd_a, odd_b = P::b * at.odd_b;
        put(y, d4 + P::product * at.zero);
        put(y + 1, d5 - P::b2 * odd_a - P::a2 * odd_b + P::product * at.infinity);
        put(y + 2, -(P::sum * at.zero + P::b2 * at.even_a + P::a2 * at.even_b));
        put(y + 3, odd_a + odd_b - P::sum * at.infinity);
        d4 = at.zero + at.even_a + at.even_b, d5 = at.infinity;
      }
      put(y, d4);
    });
  }

  // Reads a channel of an output image, [H, W], from its planes.
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
        const AtPoints<n> at(from, plane);
        put(y, at.zero + at.even_a + at.even_b);
        put(y + 1, P::a * at.odd_a + P::b * at.odd_b);
        put(y + 2, P::a2 * at.even_a + P::b2 * at.even_b);
        put(y + 3, P::a3 * at.odd_a + P::b3 * at.odd_b + at.infinity);
      }
    });
  }

  // The gradient of `read`: writes a channel's gradient, [H, W], to that of its planes.
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
        AtPoints<n> at;
        at.zero = r0, at.infinity = r3;
        at.even_a = r0 + P::a2 * r2, at.odd_a = P::a * r1 + P::a3 * r3;
        at.even_b = r0 + P::b2 * r2, at.odd_b = P::b * r1 + P::b3 * r3;
        at.store(to, plane);
      }
    });
  }

  // The gradient of `count` kernels [3, 3] from that of their planes [3], which lie `plane_size` floats apart.
  static void read_kernels_gradient(const float *of_planes, ptrdiff_t plane_size, ptrdiff_t count,
                                    float *kernels) {
    for (ptrdiff_t n = 0; n < count; ++n, kernels += 9, of_planes += 3)
      for (int x = 0; x < 3; ++x) {
        double g[3] = {};
        for (int plane = 0; plane < planes; ++plane)
          for (int y = 0; y < 3; ++y) g[y] += kernel_factors[plane][y] * of_planes[plane * plane_size + x];
        for (int y = 0; y < 3; ++y) kernels[y * 3 + x] = static_cast<float>(g[y]);
      }
  }

 private:
  WinogradRows(int height, int width, Strip strip) : height(height), width(width), strip(strip) {}

  static int tiles_of(int height) { return (height + tile_rows - 1) / tile_rows; }

  // Runs body(n, x, width) for each vector of n columns, from column x on.
  template <typename Body>
  void for_columns(const Body &body) const {
    at_width(width, [&](auto width) {
      constexpr int n = row_lanes<decltype(width)>;
      for (int x = 0; x < width; x += n) body(std::integral_constant<int, n>(), x, width);
    });
  }
};

// For each plane, the kernels as `shifted_products` reads them: for the convolution or, `back`, for the gradient of its
// input, where inputs and outputs change roles and kernels are mirrored.
struct PackedKernels {
  ScratchBuffer floats;
  ptrdiff_t size;  // of a plane

  // Kernels [outputs, inputs, 3, 3].
  PackedKernels(const float *kernels, int outputs, int inputs, bool back)
      : floats(planes * size_t(outputs) * inputs * 3, ScratchBuffer::uninitialized),
        size(ptrdiff_t(outputs) * inputs * 3) {
    const int rows = back ? inputs : outputs, columns = back ? outputs : inputs;  // of what is multiplied
    const ptrdiff_t row_stride = back ? 9 : ptrdiff_t(inputs) * 9, column_stride = back ? ptrdiff_t(inputs) * 9 : 9;
    const auto pack_rows = [&](int64_t first, int64_t last, int64_t) {
      const int end = std::min<int64_t>(last * rows_at_once, rows);
      for (int row = first * rows_at_once, width; row < end; row += width) {
        width = pass_width(rows - row);
        float *to = floats + ptrdiff_t(row) * columns * 3;
        for (int column = 0; column < columns; ++column, to += 3 * width) {
          double g[9][rows_at_once] = {};  // by output, for vectors
          for (int n = 0; n < width; ++n)
            for (int i = 0; i < 9; ++i) g[i][n] = kernels[(row + n) * row_stride + column * column_stride + i];
          for (int p = 0; p < planes; ++p)
            for (int x = 0; x < 3; ++x) {
              const auto &[g0, g1, g2] = kernel_factors[p];
              float at_point[rows_at_once];  // computed in double, rounded once
              for (int n = 0; n < rows_at_once; ++n)
                at_point[n] = static_cast<float>(g0 * g[x][n] + g1 * g[3 + x][n] + g2 * g[6 + x][n]);
              std::copy_n(at_point, width, to + p * size + (back ? 2 - x : x) * width);
            }
        }
      }
    };
    const int passes = (rows + rows_at_once - 1) / rows_at_once;
    if (size < 4096) pack_rows(0, passes, 0);  // not worth a second thread
    else parallel_for(passes, pack_rows);
  }

  const float *plane(int p) const { return floats + p * size; }
};

}  // namespace
}  // namespace DDN_ISA
