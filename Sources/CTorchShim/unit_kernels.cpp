// The kernels of unit.cpp for one instruction set, whose name is DDN_ISA; every sample's intermediates stay in the cache.
#include "unit_kernels.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "parts.h"
#include "strip.h"

namespace DDN_ISA {
namespace {

void moments(const float *input, int count, float epsilon, float &mean, float &deviation) {
  // Several sums at once: one addition would wait for the other.
  const auto total = [&](auto term) {
    Vector sums[4] = {};
    int i = 0;
    for (; i + 4 * lanes <= count; i += 4 * lanes)
      for (int n = 0; n < 4; ++n) sums[n] += term(load(input + i + n * lanes));
    for (; i < count; i += lanes) sums[0] += term(load(input + i));
    return sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
  };
  mean = total([](Vector value) { return value; }) / count;
  const float center = mean;
  const float variance = total([center](Vector value) { return (value - center) * (value - center); }) / count;
  deviation = 1 / __builtin_sqrtf(variance + epsilon);
}

void normalize(const float *input, const float *scale, const float *shift, int count, float mean, float deviation,
               float *output) {
  for (int i = 0; i < count; i += lanes)
    store(output + i, (load(input + i) - mean) * deviation * load(scale + i) + load(shift + i));
}

void forward(const UnitForward &call) {
  const UnitShape &shape = call.shape;
  const Strip strip(shape.samples, shape.height, shape.width, std::max(shape.inputs, shape.outputs));
  const int pixels = shape.height * shape.width;
  const int in_count = shape.inputs * pixels, out_count = shape.outputs * pixels;
  const int terms = shape.inputs * 9;
  const auto taps = strip.taps_of_3x3(shape.inputs);
  Buffer packed(shape.outputs * terms);
  pack(call.weight, shape.outputs, terms, packed);

  in_parts(strip.strips, [&](int64_t first, int64_t last, int64_t) {
    Buffer in(shape.inputs * strip.stride), out(shape.outputs * strip.stride), image(std::max(in_count, out_count));
    for (int64_t n = first; n < last; ++n) {  // Written out: as a closure it made a step a sixth slower.
      const int64_t start = n * strip.images;
      const int images = static_cast<int>(std::min<int64_t>(strip.images, shape.samples - start));
      for (int i = 0; i < images; ++i) {
        const float *input = call.input + (start + i) * in_count;
        float mean, deviation;
        moments(input, in_count, call.epsilon, mean, deviation);
        if (call.mean) call.mean[start + i] = mean, call.deviation[start + i] = deviation;
        normalize(input, call.scale, call.shift, in_count, mean, deviation, image);
        strip.write(in, i, image, shape.inputs);
      }
      shifted_products(in, taps.data(), terms, packed, call.bias, shape.outputs, out + strip.before, strip.stride,
                       images * strip.image_stride);
      for (int i = 0; i < images; ++i) {
        float *convolved = call.convolved ? call.convolved + (start + i) * out_count : image;
        float *output = call.output + (start + i) * out_count;
        strip.read(out, i, convolved, shape.outputs);
        for (int j = 0; j < out_count; j += lanes) {
          Vector value = load(convolved + j);
          store(output + j, value * sigmoid(value));
        }
      }
    }
  });
}

// What one thread adds up; the threads' sums are added in order, so that equal thread counts give equal bits.
struct GradientSums {
  Buffer scale, shift, weight, bias;

  explicit GradientSums(const UnitShape &shape)
      : scale(shape.inputs * shape.height * shape.width), shift(shape.inputs * shape.height * shape.width),
        weight(shape.outputs * shape.inputs * 9), bias(shape.outputs) {}
};

void backward(const UnitBackward &call) {
  const UnitShape &shape = call.shape;
  const Strip strip(shape.samples, shape.height, shape.width, std::max(shape.inputs, shape.outputs));
  const int pixels = shape.height * shape.width;
  const int in_count = shape.inputs * pixels, out_count = shape.outputs * pixels;
  const int terms = shape.inputs * 9, back_terms = shape.outputs * 9;
  const auto taps = strip.taps_of_3x3(shape.inputs), back_taps = strip.taps_of_3x3(shape.outputs);
  // The gradient of the input is a convolution with the kernels turned by half a turn: [inputs, outputs, 3, 3].
  Buffer turned(shape.inputs * back_terms), packed(shape.inputs * back_terms);
  for (int o = 0; o < shape.outputs; ++o)
    for (int c = 0; c < shape.inputs; ++c)
      for (int tap = 0; tap < 9; ++tap)
        turned[c * back_terms + o * 9 + 8 - tap] = call.weight[(o * shape.inputs + c) * 9 + tap];
  pack(turned, shape.inputs, back_terms, packed);

  std::vector<std::unique_ptr<GradientSums>> sums_of_parts(parts_of(strip.strips));
  in_parts(strip.strips, [&](int64_t first, int64_t last, int64_t part) {
    auto sums = std::make_unique<GradientSums>(shape);
    Buffer in(shape.inputs * strip.stride), back(shape.inputs * strip.stride), out(shape.outputs * strip.stride);
    Buffer image(std::max(in_count, out_count));
    for (int64_t n = first; n < last; ++n) {
      const int64_t start = n * strip.images;
      const int images = static_cast<int>(std::min<int64_t>(strip.images, shape.samples - start));
      for (int i = 0; i < images; ++i) {
        const int64_t sample = start + i;
        normalize(call.input + sample * in_count, call.scale, call.shift, in_count, call.mean[sample],
                  call.deviation[sample], image);
        strip.write(in, i, image, shape.inputs);
        // Through SiLU.
        const float *gradient = call.output_gradient + sample * out_count;
        const float *convolved = call.convolved + sample * out_count;
        for (int o = 0; o < shape.outputs; ++o) {
          Vector total = {};
          for (int j = o * pixels; j < (o + 1) * pixels; j += lanes) {
            Vector value = load(convolved + j), share = sigmoid(value);
            Vector through = load(gradient + j) * share * (1.0f + value * (1.0f - share));
            total += through;
            store(image + j, through);
          }
          sums->bias[o] += sum(total);
        }
        strip.write(out, i, image, shape.outputs);
      }
      strip.clear(out, images, shape.outputs);
      // Through the convolution.
      const int length = images * strip.image_stride;
      shifted_correlations(in, taps.data(), terms, out + strip.before, strip.stride, shape.outputs, length,
                           sums->weight, terms);
      shifted_products(out, back_taps.data(), back_terms, packed, nullptr, shape.inputs, back + strip.before,
                       strip.stride, length);
      // Through the norm.
      for (int i = 0; i < images; ++i) {
        const int64_t sample = start + i;
        strip.read(back, i, image, shape.inputs);
        const float *input = call.input + sample * in_count;
        const float mean = call.mean[sample], deviation = call.deviation[sample];
        Vector total = {}, along = {};
        for (int j = 0; j < in_count; j += lanes) {
          Vector gradient = load(image + j), normal = (load(input + j) - mean) * deviation;
          store(sums->scale + j, load(sums->scale + j) + gradient * normal);
          store(sums->shift + j, load(sums->shift + j) + gradient);
          gradient *= load(call.scale + j);
          total += gradient;
          along += gradient * normal;
        }
        if (!call.input_gradient) continue;
        const float mean_total = sum(total) / in_count, mean_along = sum(along) / in_count;
        for (int j = 0; j < in_count; j += lanes) {
          Vector normal = (load(input + j) - mean) * deviation;
          store(call.input_gradient + sample * in_count + j,
                (load(image + j) * load(call.scale + j) - mean_total - normal * mean_along) * deviation);
        }
      }
    }
    sums_of_parts[part] = std::move(sums);
  });

  const auto add_up = [&](float *total, int count, Buffer GradientSums::*field) {
    std::fill_n(total, count, 0.0f);
    for (auto &sums : sums_of_parts)
      for (int i = 0; i < count; ++i) total[i] += ((*sums).*field)[i];
  };
  add_up(call.scale_gradient, in_count, &GradientSums::scale);
  add_up(call.shift_gradient, in_count, &GradientSums::shift);
  add_up(call.weight_gradient, shape.outputs * terms, &GradientSums::weight);
  add_up(call.bias_gradient, shape.outputs, &GradientSums::bias);
}

}  // namespace

extern const UnitKernels unit_kernels;
const UnitKernels unit_kernels{forward, backward};

}  // namespace DDN_ISA
