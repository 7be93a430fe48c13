// 3x3 convolutions, and their gradients, with two thirds of the multiplications: Winograd's minimal filtering F(2, 3),
// down the columns (S. Winograd, "Arithmetic Complexity of Computations", 1980; A. Lavin and S. Gray, "Fast Algorithms
// for Convolutional Neural Networks", 2016). Part of a file of kernels.
//
// A pair of rows of the result needs the four rows d0...d3 of the input around it. With a column g0, g1, g2 of a kernel
//
//   m0 = (d0 - d2) g0    m1 = (d1 + d2) (g0 + g1 + g2) / 2    m2 = (d2 - d1) (g0 - g1 + g2) / 2    m3 = (d1 - d3) g2
//
// are four products where six would be, and the rows of the result are m0 + m1 + m2 and m1 - m2 - m3. The sums in
// brackets are made once for all columns, channels and pixels that use them: images, results and kernels become four
// *planes*, and a plane of the results comes from that plane of the images and of the kernels alone, by sums of rows that
// are shifted sideways. All of it is linear, so gradients go back through the same sums, turned around.
#pragma once
#include "strip.h"

namespace DDN_ISA {
namespace {

constexpr int planes = 4;

// Where the planes of a strip of images lie: plane p of channel c is channel p * channels + c of a strip.
struct RowPairs {
  int height, width;
  int pairs;  // of rows, in an image; below an odd height lies one more row, of zeros
  Strip strip;

  RowPairs(int64_t samples, int height, int width, int channels)
      : height(height), width(width), pairs((height + 1) / 2), strip(samples, pairs, width, planes * channels, 0) {}

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
    float *first = strip.pixels(strips, channel, image);
    const ptrdiff_t plane = channels * strip.stride, pitch = strip.pitch;
    const int height = this->height;
    for_columns([=, &row_at](auto n, int x, auto width) {
      Row<n> d0 = {}, d1 = row_at(n, x);
      float *to = first + x;
      for (int y = 1; y <= height; y += 2, to += pitch) {
        const Row<n> d2 = y < height ? row_at(n, y * width + x) : Row<n>{};
        const Row<n> d3 = y + 1 < height ? row_at(n, (y + 1) * width + x) : Row<n>{};
        store_row<n>(to, d0 - d2);
        store_row<n>(to + plane, d1 + d2);
        store_row<n>(to + 2 * plane, d2 - d1);
        store_row<n>(to + 3 * plane, d1 - d3);
        d0 = d2, d1 = d3;
      }
    });
  }

  // A channel of the result out of its planes, [H, W].
  void read(float *strips, int image, int channel, int channels, float bias, float *rows) const {
    const float *first = strip.pixels(strips, channel, image);
    const ptrdiff_t plane = channels * strip.stride, pitch = strip.pitch;
    const int height = this->height;
    for_columns([=](auto n, int x, auto width) {
      const float *from = first + x;
      for (int y = 0; y < height; y += 2, from += pitch) {
        const Row<n> p1 = load_row<n>(from + plane), p2 = load_row<n>(from + 2 * plane);
        store_row<n>(rows + y * width + x, load_row<n>(from) + p1 + p2 + bias);
        if (y + 1 < height)
          store_row<n>(rows + (y + 1) * width + x, p1 - p2 - load_row<n>(from + 3 * plane) + bias);
      }
    });
  }

  // The gradient of `read`: that of a channel of the result, [H, W], into its planes.
  void write_gradient(const float *rows, float *strips, int image, int channel, int channels) const {
    float *first = strip.pixels(strips, channel, image);
    const ptrdiff_t plane = channels * strip.stride, pitch = strip.pitch;
    const int height = this->height;
    for_columns([=](auto n, int x, auto width) {
      float *to = first + x;
      for (int y = 0; y < height; y += 2, to += pitch) {
        const Row<n> upper = load_row<n>(rows + y * width + x);
        const Row<n> lower = y + 1 < height ? load_row<n>(rows + (y + 1) * width + x) : Row<n>{};
        store_row<n>(to, upper);
        store_row<n>(to + plane, upper + lower);
        store_row<n>(to + 2 * plane, upper - lower);
        store_row<n>(to + 3 * plane, -lower);
      }
    });
  }

  // The gradient of `write`: that of a channel of an image out of its planes, [H, W].
  void read_gradient(float *strips, int image, int channel, int channels, float *rows) const {
    const float *first = strip.pixels(strips, channel, image);
    const ptrdiff_t plane = channels * strip.stride, pitch = strip.pitch;
    const int height = this->height;
    for_columns([=](auto n, int x, auto width) {
      const float *from = first + x;
      Row<n> above = {}, d3 = {};  // what the pair before has of this pair's d0 and d1
      for (int y = 0; y < height; y += 2, from += pitch) {
        const Row<n> p0 = load_row<n>(from), p1 = load_row<n>(from + plane);
        const Row<n> p2 = load_row<n>(from + 2 * plane), p3 = load_row<n>(from + 3 * plane);
        if (y > 0) store_row<n>(rows + (y - 1) * width + x, above + p0);
        store_row<n>(rows + y * width + x, d3 + p1 - p2 + p3);
        above = p1 + p2 - p0, d3 = -p3;
      }
      if (height % 2 == 0) store_row<n>(rows + (height - 1) * width + x, above);
    });
  }

  // Kernels [outputs, inputs, 3, 3] as planes [4, outputs, inputs, 3].
  static void write_kernels(const float *kernels, int outputs, int inputs, float *to) {
    const ptrdiff_t plane = ptrdiff_t(outputs) * inputs * 3;
    for (ptrdiff_t n = 0; n < ptrdiff_t(outputs) * inputs; ++n)
      for (int x = 0; x < 3; ++x) {
        const float *g = kernels + n * 9 + x;
        float *p = to + n * 3 + x;
        p[0] = g[0];
        p[plane] = (g[0] + g[3] + g[6]) / 2;
        p[2 * plane] = (g[0] - g[3] + g[6]) / 2;
        p[3 * plane] = g[6];
      }
  }

  // The gradient of `write_kernels`.
  static void read_kernels_gradient(const float *from, int outputs, int inputs, float *kernels) {
    const ptrdiff_t plane = ptrdiff_t(outputs) * inputs * 3;
    for (ptrdiff_t n = 0; n < ptrdiff_t(outputs) * inputs; ++n)
      for (int x = 0; x < 3; ++x) {
        const float *p = from + n * 3 + x;
        const float even = (p[plane] + p[2 * plane]) / 2;
        float *g = kernels + n * 9 + x;
        g[0] = p[0] + even;
        g[3] = (p[plane] - p[2 * plane]) / 2;
        g[6] = even + p[3 * plane];
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
