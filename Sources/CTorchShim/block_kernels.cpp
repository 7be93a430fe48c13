// The kernels of block.cpp for one instruction set, whose name is DDN_ISA; a group's numbers stay in the cache.
#include "block_kernels.h"

#include "parts.h"
#include "shifted_products.h"

namespace DDN_ISA {
namespace {

typedef uint32_t Bits __attribute__((vector_size(lanes * sizeof(uint32_t))));
typedef uint16_t HalfBits __attribute__((vector_size(lanes * sizeof(uint16_t))));

// bfloat16 is the upper half of float32.
struct Bfloat16 {
  uint16_t bits;
};

// The first `count` of a vector's numbers, with zeros behind them.
inline Vector read(const float *from, int64_t count) {
  if (count >= lanes) return load(from);
  Vector value = {};
  std::memcpy(&value, from, count * sizeof *from);
  return value;
}

inline Vector read(const Bfloat16 *from, int64_t count) {
  HalfBits half = {};
  if (count >= lanes)
    std::memcpy(&half, from, sizeof half);
  else
    std::memcpy(&half, from, count * sizeof *from);
  return (Vector)(__builtin_convertvector(half, Bits) << 16);
}

inline void write(float *to, Vector value, int64_t count) {
  if (count >= lanes)
    store(to, value);
  else
    std::memcpy(to, &value, count * sizeof *to);
}

inline void write(Bfloat16 *to, Vector value, int64_t count) {
  const Bits bits = (Bits)value;
  const Bits nearest = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;  // halfway cases to the even one
  const Bits chosen = (bits & 0x7fffffff) > 0x7f800000 ? (bits >> 16) | 0x40 : nearest;  // rounding could end a NaN
  const HalfBits half = __builtin_convertvector(chosen, HalfBits);
  if (count >= lanes)
    std::memcpy(to, &half, sizeof half);
  else
    std::memcpy(to, &half, count * sizeof *to);
}

// The sum of term(value) over all numbers of a group.
template <typename Element, typename Term>
inline float total(const Element *input, int64_t count, Term term) {
  // Several sums at once: one addition would wait for the other.
  Vector sums[4] = {};
  int64_t i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes)
    for (int n = 0; n < 4; ++n) sums[n] += term(read(input + i + n * lanes, lanes));
  for (; i + lanes <= count; i += lanes) sums[0] += term(read(input + i, lanes));
  float result = sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
  if (i < count) {
    const Vector last = term(read(input + i, count - i));
    for (int n = 0; n < count - i; ++n) result += last[n];
  }
  return result;
}

template <typename Element>
void forward(const ActivationForward &call) {
  const ActivationShape &shape = call.shape;
  const int width = shape.channels / shape.groups;
  const int64_t count = width * shape.pixels;
  in_parts(shape.samples * shape.groups, [&](int64_t first, int64_t last, int64_t) {
    for (int64_t n = first; n < last; ++n) {
      const Element *input = static_cast<const Element *>(call.input) + n * count;
      Element *output = static_cast<Element *>(call.output) + n * count;
      if (!call.has_moments) {
        const float center = total(input, count, [](Vector value) { return value; }) / count;
        const auto square = [center](Vector value) { return (value - center) * (value - center); };
        call.mean[n] = center;
        call.deviation[n] = 1 / __builtin_sqrt(static_cast<double>(total(input, count, square)) / count + call.epsilon);
      }
      const float mean = call.mean[n], deviation = call.deviation[n];
      const int channel = static_cast<int>(n % shape.groups) * width;
      for (int c = 0; c < width; ++c, input += shape.pixels, output += shape.pixels) {
        const float scale = call.scale[channel + c], shift = call.shift[channel + c];
        for (int64_t i = 0; i < shape.pixels; i += lanes) {
          const Vector value = (read(input + i, shape.pixels - i) - mean) * deviation * scale + shift;
          write(output + i, value * sigmoid(value), shape.pixels - i);
        }
      }
    }
  });
}

template <typename Element>
void backward(const ActivationBackward &call) {
  const ActivationShape &shape = call.shape;
  const int width = shape.channels / shape.groups;
  const int64_t count = width * shape.pixels;
  in_parts(shape.samples * shape.groups, [&](int64_t first, int64_t last, int64_t) {
    Buffer through(count);
    for (int64_t n = first; n < last; ++n) {
      const Element *input = static_cast<const Element *>(call.input) + n * count;
      const Element *gradient = static_cast<const Element *>(call.output_gradient) + n * count;
      Element *input_gradient = static_cast<Element *>(call.input_gradient) + n * count;
      const int channel = static_cast<int>(n % shape.groups) * width;
      const int64_t place = n / shape.groups * shape.channels + channel;
      const float mean = call.mean[n], deviation = call.deviation[n];
      // Through SiLU; and the group's means of the gradient of the normal numbers, alone and times these numbers.
      double total = 0, along = 0;
      for (int c = 0; c < width; ++c) {
        const float scale = call.scale[channel + c], shift = call.shift[channel + c];
        Vector totals = {}, alongs = {};
        for (int64_t i = 0; i < shape.pixels; i += lanes) {
          const Vector normal = (read(input + c * shape.pixels + i, shape.pixels - i) - mean) * deviation;
          const Vector value = normal * scale + shift, share = sigmoid(value);
          const Vector here =
              read(gradient + c * shape.pixels + i, shape.pixels - i) * share * (1.0f + value * (1.0f - share));
          totals += here;
          alongs += here * normal;
          write(through + c * shape.pixels + i, here, shape.pixels - i);
        }
        call.shift_gradients[place + c] = sum(totals);
        call.scale_gradients[place + c] = sum(alongs);
        total += static_cast<double>(scale) * call.shift_gradients[place + c];
        along += static_cast<double>(scale) * call.scale_gradients[place + c];
      }
      const float mean_total = total / count, mean_along = along / count;
      // Through the norm.
      for (int c = 0; c < width; ++c) {
        const float scale = call.scale[channel + c];
        for (int64_t i = 0; i < shape.pixels; i += lanes) {
          const int64_t left = shape.pixels - i;
          const Vector normal = (read(input + c * shape.pixels + i, left) - mean) * deviation;
          const Vector here = read(through + c * shape.pixels + i, left) * scale;
          write(input_gradient + c * shape.pixels + i, (here - mean_total - normal * mean_along) * deviation, left);
        }
      }
    }
  });
}

}  // namespace

extern const BlockKernels block_kernels;
const BlockKernels block_kernels{
    [](const ActivationForward &call) { call.is_bfloat16 ? forward<Bfloat16>(call) : forward<float>(call); },
    [](const ActivationBackward &call) { call.is_bfloat16 ? backward<Bfloat16>(call) : backward<float>(call); }};

}  // namespace DDN_ISA
