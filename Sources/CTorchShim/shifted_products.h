// Sums of shifted rows: what every small convolution and its gradients come down to, without copying patches about.
//
// Images lie in a *strip*: each channel is one long row of floats in which the images' rows follow each other, with one
// zero after every row and, where taps reach above or below, a row of zeros after every image. A kernel tap is then a
// constant offset into the strip, and all pixels of a channel are one vector operation after the other, however small the
// images are.
//
// This file is compiled once for each instruction set, in a namespace of its own; see unit_kernels.cpp.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace DDN_ISA {
namespace {

// Floats in a register, and how many rows of results fit into the registers beside what is multiplied.
#if defined(__AVX512F__)
constexpr int lanes = 16, rows_at_once = 8, vectors_at_once = 3;
#elif defined(__AVX2__)
constexpr int lanes = 8, rows_at_once = 4, vectors_at_once = 3;
#else
constexpr int lanes = 4, rows_at_once = 4, vectors_at_once = 4;
#endif

typedef float Vector __attribute__((vector_size(lanes * sizeof(float))));
typedef int32_t IntVector __attribute__((vector_size(lanes * sizeof(float))));

inline Vector load(const float *from) {
  Vector value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

inline void store(float *to, Vector value) { std::memcpy(to, &value, sizeof value); }

// The same number in every lane. (x - 0 is x, which compilers know; 0 + x is not, where x is -0.)
inline Vector all(float x) { return x - Vector{}; }

// Keeps a value in a register; compilers would rather read it from memory again at every use.
inline Vector held(Vector value) {
#if defined(__x86_64__)
  asm("" : "+v"(value));
#endif
  return value;
}

template <int count>
inline float sum_of(const float *parts) {
  if constexpr (count == 1) {
    return parts[0];
  } else {
    typedef float Half __attribute__((vector_size(count / 2 * sizeof(float))));
    Half low, high;
    std::memcpy(&low, parts, sizeof low);
    std::memcpy(&high, parts + count / 2, sizeof high);
    low += high;
    return sum_of<count / 2>(reinterpret_cast<const float *>(&low));
  }
}

inline float sum(Vector value) { return sum_of<lanes>(reinterpret_cast<const float *>(&value)); }

constexpr int up_to_lanes(int count) { return (count + lanes - 1) / lanes * lanes; }

// How many of `left` results one pass makes: a power of two, so that few shapes of loop are compiled.
inline int pass_width(int left) {
  int width = rows_at_once;
  while (width > left) width /= 2;
  return width;
}

// Weights in the order in which `shifted_products` reads them; at(output, term) is one of them.
template <typename At>
inline void pack(int outputs, int terms, float *packed, const At &at) {
  for (int output = 0; output < outputs;) {
    const int width = pass_width(outputs - output);
    for (int term = 0; term < terms; ++term)
      for (int n = 0; n < width; ++n) *packed++ = at(output + n, term);
    output += width;
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
// vectors.
inline void shifted_products(const float *in, const ptrdiff_t *offsets, int terms, const float *packed,
                             const float *bias, int outputs, float *out, ptrdiff_t out_stride, int length) {
  int vectors = up_to_lanes(length) / lanes;
  for (int done = 0; done < vectors;) {
    int now = vectors - done < vectors_at_once ? vectors - done : vectors_at_once;
    const float *weights = packed;
    for (int output = 0; output < outputs;) {
      int width = pass_width(outputs - output);
      const float *pass_bias = bias ? bias + output : nullptr;
      float *to = out + output * out_stride + done * lanes;
      const float *from = in + done * lanes;
      switch (width) {
        case 1: product_block<1>(now, from, offsets, terms, weights, pass_bias, to, out_stride); break;
        case 2: product_block<2>(now, from, offsets, terms, weights, pass_bias, to, out_stride); break;
        case 4: product_block<4>(now, from, offsets, terms, weights, pass_bias, to, out_stride); break;
        default: product_block<rows_at_once>(now, from, offsets, terms, weights, pass_bias, to, out_stride);
      }
      weights += width * terms;
      output += width;
    }
    done += now;
  }
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
  for (int output = 0; output < outputs;) {
    int width = pass_width(outputs - output);
    const float *with = other + output * other_stride;
    float *to = sums_out + output * sums_stride;
    switch (width) {
      case 1: correlation_rows<1>(in, offsets, terms, with, other_stride, length, to, sums_stride); break;
      case 2: correlation_rows<2>(in, offsets, terms, with, other_stride, length, to, sums_stride); break;
      case 4: correlation_rows<4>(in, offsets, terms, with, other_stride, length, to, sums_stride); break;
      default: correlation_rows<rows_at_once>(in, offsets, terms, with, other_stride, length, to, sums_stride);
    }
    output += width;
  }
}

// The number nearest to x from `lowest` to `highest`; x itself where it is no number.
inline Vector within(float lowest, Vector x, float highest) {
#if defined(__AVX512F__)
  return (Vector)_mm512_max_ps((__m512)all(lowest), _mm512_min_ps((__m512)all(highest), (__m512)x));
#else
  x = x < all(lowest) ? all(lowest) : x;
  return x > all(highest) ? all(highest) : x;
#endif
}

// e^x to the last two bits for x within -87 and 88, and of the nearer of them elsewhere (the polynomial of Cephes'
// expf).
inline Vector exponential(Vector x) {
  x = within(-87.0f, x, 88.0f);
  const float shifter = 12582912.0f;  // 1.5 * 2^23: adding it rounds to whole numbers, kept in the lowest bits
  Vector shifted = x * 1.44269504088896341f + shifter;
  Vector whole = shifted - shifter;
  Vector rest = x - whole * 0.693359375f - whole * -2.12194440e-4f;
  Vector series = all(1.9875691500e-4f);
  series = series * rest + 1.3981999507e-3f;
  series = series * rest + 8.3334519073e-3f;
  series = series * rest + 4.1665795894e-2f;
  series = series * rest + 1.6666665459e-1f;
  series = series * rest + 5.0000001201e-1f;
  series = series * rest + 1.0f;
  series = series * rest + 1.0f;
#if defined(__AVX512F__)
  return (Vector)_mm512_scalef_ps((__m512)series, (__m512)whole);
#else
  return (Vector)((IntVector)series + ((IntVector)shifted << 23));
#endif
}

inline Vector reciprocal(Vector x) {
#if defined(__AVX512F__)
  const Vector near = (Vector)_mm512_rcp14_ps((__m512)x);
  return near * (2.0f - x * near);  // one step of Newton's method: the last bit or two
#else
  return 1.0f / x;
#endif
}

inline Vector sigmoid(Vector x) { return reciprocal(1.0f + exponential(-x)); }

}  // namespace
}  // namespace DDN_ISA
