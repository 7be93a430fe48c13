// Vectors of floats as wide as the registers, and what the kernels compute with them. Included by kernels only.
//
// GCC's and Clang's vector types, as fast as libtorch's and Highway's; see "Vectors" in Documentation/Design.md.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace DDN_ISA {
namespace {

// Floats in a register, and how many rows of results fit into the registers beside their operands.
#if defined(__AVX512F__)
constexpr int lanes = 16, rows_at_once = 8, vectors_at_once = 3;
#elif defined(__AVX2__)
constexpr int lanes = 8, rows_at_once = 4, vectors_at_once = 3;
#elif __ARM_FEATURE_SVE_BITS == 256
constexpr int lanes = 8, rows_at_once = 8, vectors_at_once = 3;
#else
constexpr int lanes = 4, rows_at_once = 4, vectors_at_once = 4;
#endif

typedef float Vector __attribute__((vector_size(lanes * sizeof(float))));
typedef int32_t IntVector __attribute__((vector_size(lanes * sizeof(float))));

constexpr int up_to_lanes(int count) { return (count + lanes - 1) / lanes * lanes; }

// bfloat16: the upper half of a float32.
struct Bfloat16 {
  uint16_t bits;
};
typedef uint32_t Bits __attribute__((vector_size(lanes * sizeof(uint32_t))));
typedef uint16_t HalfBits __attribute__((vector_size(lanes * sizeof(uint16_t))));

// The first `count` elements, zeros after them.
inline Vector load(const float *from, int64_t count = lanes) {
  Vector value = {};
  if (count >= lanes) std::memcpy(&value, from, sizeof value);
  else std::memcpy(&value, from, count * sizeof *from);
  return value;
}

inline Vector load(const Bfloat16 *from, int64_t count = lanes) {
  HalfBits half = {};
  if (count >= lanes) std::memcpy(&half, from, sizeof half);
  else std::memcpy(&half, from, count * sizeof *from);
  return (Vector)(__builtin_convertvector(half, Bits) << 16);
}

inline void store(float *to, Vector value, int64_t count = lanes) {
  if (count >= lanes) std::memcpy(to, &value, sizeof value);
  else std::memcpy(to, &value, count * sizeof *to);
}

inline void store(Bfloat16 *to, Vector value, int64_t count = lanes) {
  const Bits bits = (Bits)value;
  const Bits nearest = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;  // ties to even
  const Bits chosen = (bits & 0x7fffffff) > 0x7f800000 ? (bits >> 16) | 0x40 : nearest;  // rounding could lose a NaN
  const HalfBits half = __builtin_convertvector(chosen, HalfBits);
  if (count >= lanes) std::memcpy(to, &half, sizeof half);
  else std::memcpy(to, &half, count * sizeof *to);
}

// x in every lane. (x - 0 is x, which compilers know; 0 + x is not for x = -0.)
inline Vector all(float x) { return x - Vector{}; }

// Keeps a value in a register; compilers would rather read it from memory at every use.
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

// The sum of term(x) over `count` elements. Four accumulators, because an addition waits for the one before.
template <typename Element, typename Term>
inline float sum_of_terms(const Element *input, int64_t count, const Term &term) {
  Vector sums[4] = {};
  int64_t i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes)
    for (int n = 0; n < 4; ++n) sums[n] += term(load(input + i + n * lanes));
  for (; i + lanes <= count; i += lanes) sums[0] += term(load(input + i));
  float result = sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
  if (i < count) {
    const Vector last = term(load(input + i, count - i));
    for (int n = 0; n < count - i; ++n) result += last[n];
  }
  return result;
}

// x clamped to [lowest, highest]; NaN stays NaN.
inline Vector clamped(float lowest, Vector x, float highest) {
#if defined(__AVX512F__)
  return (Vector)_mm512_max_ps((__m512)all(lowest), _mm512_min_ps((__m512)all(highest), (__m512)x));
#else
  x = x < all(lowest) ? all(lowest) : x;
  return x > all(highest) ? all(highest) : x;
#endif
}

// exp(x), last two bits uncertain; x is clamped to [-87, 88]. The polynomial is Cephes' expf.
inline Vector exponential(Vector x) {
  x = clamped(-87.0f, x, 88.0f);
  const float shifter = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer in the lowest bits
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

// 1 / x, last bit or two uncertain with AVX-512.
inline Vector reciprocal(Vector x) {
#if defined(__AVX512F__)
  const Vector near = (Vector)_mm512_rcp14_ps((__m512)x);
  return near * (2.0f - x * near);  // one step of Newton's method
#else
  return 1.0f / x;
#endif
}

inline Vector sigmoid(Vector x) { return reciprocal(1.0f + exponential(-x)); }

inline Vector silu(Vector x) { return x * sigmoid(x); }

// The gradient of x from that of silu(x).
inline Vector silu_gradient(Vector gradient, Vector x) {
  const Vector s = sigmoid(x);
  return gradient * s * (1.0f + x * (1.0f - s));
}

// A norm's statistics: x -> (x - mean) * rstd, where rstd is 1 / sqrt(variance + epsilon).
struct Moments {
  float mean, rstd;

  template <typename Floats>  // any vector
  Floats normalized(Floats x) const { return (x - mean) * rstd; }

  // The gradient of x from that of the normalized x. The means are over all that was normalized: of the gradient, and
  // of the gradient times the normalized x.
  Vector gradient(Vector gradient, Vector normalized, float mean_gradient, float mean_product) const {
    return (gradient - mean_gradient - normalized * mean_product) * rstd;
  }
};

}  // namespace
}  // namespace DDN_ISA
