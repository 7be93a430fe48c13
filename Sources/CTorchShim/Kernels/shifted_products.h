// Sums of shifted rows: what all small convolutions and their gradients are made of, without copying patches.
//
// Images lie in a *strip* (image_strips.h): each channel is one long row of floats in which the images' rows follow
// each other, with a zero after every row and, where taps reach above or below, a row of zeros after every image. A
// kernel tap is then a constant offset into the strip, and all pixels of a channel are one loop over vectors, however
// small the images. Included by kernels only.
#pragma once
#include <type_traits>

#include "vectors.h"

namespace DDN_ISA {
namespace {

// How many of `left` rows of results one pass makes: a power of two, so that few loops are compiled.
inline int pass_width(int left) {
  int width = rows_at_once;
  while (width > left) width /= 2;
  return width;
}

// Runs body(row, width) for every pass over rows 0..<count. width is a compile-time constant.
template <typename Body>
inline void for_passes(int count, const Body &body) {
  for (int row = 0, width; row < count; row += width) {
    width = pass_width(count - row);
    switch (width) {
      case 1: body(row, std::integral_constant<int, 1>()); break;
      case 2: body(row, std::integral_constant<int, 2>()); break;
      case 4: body(row, std::integral_constant<int, 4>()); break;
      default: body(row, std::integral_constant<int, rows_at_once>());
    }
  }
}

// Weights in the order in which `shifted_products` reads them; at(output, term) is one of them.
template <typename At>
inline void pack(int outputs, int terms, float *packed, const At &at) {
  for (int output = 0, width; output < outputs; output += width) {
    width = pass_width(outputs - output);
    for (int term = 0; term < terms; ++term)
      for (int n = 0; n < width; ++n) *packed++ = at(output + n, term);
  }
}

// The same for weights [outputs, terms].
inline void pack(const float *weights, int outputs, int terms, float *packed) {
  pack(outputs, terms, packed, [=](int output, int term) { return weights[ptrdiff_t(output) * terms + term]; });
}

template <int outputs, int vectors>
inline void product_block(const float *in, const ptrdiff_t *offsets, int terms, const float *packed, const float *bias,
                          float *out, ptrdiff_t out_stride) {
  Vector sums[outputs][vectors];
  for (int o = 0; o < outputs; ++o)
    for (int v = 0; v < vectors; ++v) sums[o][v] = all(bias ? bias[o] : 0.0f);
  for (int term = 0; term < terms; ++term, packed += outputs) {
    const float *from = in + offsets[term];
    Vector values[vectors];
    for (int v = 0; v < vectors; ++v) values[v] = load(from + v * lanes);
    for (int o = 0; o < outputs; ++o) {
      const Vector weight = held(all(packed[o]));
      for (int v = 0; v < vectors; ++v) sums[o][v] += values[v] * weight;
    }
  }
  for (int o = 0; o < outputs; ++o)
    for (int v = 0; v < vectors; ++v) store(out + o * out_stride + v * lanes, sums[o][v]);
}

template <int outputs>
inline void product_block(int vectors, const float *in, const ptrdiff_t *offsets, int terms, const float *packed,
                          const float *bias, float *out, ptrdiff_t out_stride) {
  switch (vectors) {
    case 1: return product_block<outputs, 1>(in, offsets, terms, packed, bias, out, out_stride);
    case 2: return product_block<outputs, 2>(in, offsets, terms, packed, bias, out, out_stride);
    case 3: return product_block<outputs, 3>(in, offsets, terms, packed, bias, out, out_stride);
    default: return product_block<outputs, vectors_at_once>(in, offsets, terms, packed, bias, out, out_stride);
  }
}

// out[o][i] = bias[o] + sum over k of weight[o][k] * in[offsets[k] + i], for i in 0..<length rounded up to whole
// vectors. `bias` may be null.
inline void shifted_products(const float *in, const ptrdiff_t *offsets, int terms, const float *packed,
                             const float *bias, int outputs, float *out, ptrdiff_t out_stride, int length) {
  for (int i = 0; i < length; i += vectors_at_once * lanes)
    for_passes(outputs, [=](int output, auto width) {
      product_block<width>(up_to_lanes(length - i) / lanes, in + i, offsets, terms, packed + ptrdiff_t(output) * terms,
                           bias ? bias + output : nullptr, out + output * out_stride + i, out_stride);
    });
}

template <int outputs, int terms>
inline void correlation_block(const float *in, const ptrdiff_t *offsets, const float *other, ptrdiff_t other_stride,
                              int length, float *sums_out, ptrdiff_t sums_stride) {
  Vector sums[outputs][terms] = {};
  for (int i = 0; i < length; i += lanes) {
    Vector values[terms];
    for (int k = 0; k < terms; ++k) values[k] = load(in + offsets[k] + i);
    for (int o = 0; o < outputs; ++o) {
      const Vector with = held(load(other + o * other_stride + i));
      for (int k = 0; k < terms; ++k) sums[o][k] += values[k] * with;
    }
  }
  for (int o = 0; o < outputs; ++o)
    for (int k = 0; k < terms; ++k) sums_out[o * sums_stride + k] += sum(sums[o][k]);
}

template <int outputs>
inline void correlation_rows(const float *in, const ptrdiff_t *offsets, int terms, const float *other,
                             ptrdiff_t other_stride, int length, float *sums_out, ptrdiff_t sums_stride) {
  int term = 0;
  for (; term + 3 <= terms; term += 3)
    correlation_block<outputs, 3>(in, offsets + term, other, other_stride, length, sums_out + term, sums_stride);
  for (; term < terms; ++term)
    correlation_block<outputs, 1>(in, offsets + term, other, other_stride, length, sums_out + term, sums_stride);
}

// sums[o][k] += sum over i of other[o][i] * in[offsets[k] + i]; `other` must be zero from `length` to whole vectors.
inline void shifted_correlations(const float *in, const ptrdiff_t *offsets, int terms, const float *other,
                                 ptrdiff_t other_stride, int outputs, int length, float *sums_out,
                                 ptrdiff_t sums_stride) {
  for_passes(outputs, [=](int output, auto width) {
    correlation_rows<width>(in, offsets, terms, other + output * other_stride, other_stride, length,
                            sums_out + output * sums_stride, sums_stride);
  });
}

}  // namespace
}  // namespace DDN_ISA
