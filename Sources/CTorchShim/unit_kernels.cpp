// The kernels of unit.cpp for one instruction set, whose name is DDN_ISA; every sample's intermediates stay in the cache.
#include "unit_kernels.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "parts.h"
#include "row_tiles.h"

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

// The norm's output for one channel of an image, some pixels at a time.
struct Normal {
  const float *input, *scale, *shift;  // [H, W]
  float mean, deviation;

  template <typename Count>
  Row<Count::value> operator()(Count n, int i) const {
    return (load_row<n>(input + i) - mean) * deviation * load_row<n>(scale + i) + load_row<n>(shift + i);
  }
};

void silu(const float *input, int count, float *output) {
  for (int i = 0; i < count; i += lanes) {
    const Vector value = load(input + i);
    store(output + i, value * sigmoid(value));
  }
}

// The gradient of the above; returns its sum.
float silu_gradient(const float *output_gradient, const float *input, int count, float *input_gradient) {
  Vector total = {};
  for (int i = 0; i < count; i += lanes) {
    const Vector value = load(input + i), share = sigmoid(value);
    const Vector gradient = load(output_gradient + i) * share * (1.0f + value * (1.0f - share));
    total += gradient;
    store(input_gradient + i, gradient);
  }
  return sum(total);
}

// The gradient of the norm of one image: adds to those of scale and shift, and unless null writes that of the input.
void norm_gradient(const float *output_gradient, const float *input, const float *scale, int count, float mean,
                   float deviation, float *scale_gradient, float *shift_gradient, float *input_gradient) {
  Vector total = {}, along = {};
  for (int i = 0; i < count; i += lanes) {
    Vector gradient = load(output_gradient + i);
    const Vector normal = (load(input + i) - mean) * deviation;
    store(scale_gradient + i, load(scale_gradient + i) + gradient * normal);
    store(shift_gradient + i, load(shift_gradient + i) + gradient);
    gradient *= load(scale + i);
    total += gradient;
    along += gradient * normal;
  }
  if (!input_gradient) return;
  const float mean_total = sum(total) / count, mean_along = sum(along) / count;
  for (int i = 0; i < count; i += lanes) {
    const Vector normal = (load(input + i) - mean) * deviation;
    const Vector gradient = load(output_gradient + i) * load(scale + i);
    store(input_gradient + i, (gradient - mean_total - normal * mean_along) * deviation);
  }
}

RowTiles layout_of(const ConvolutionShape &shape) {
  return RowTiles::within_cache(shape.samples, shape.height, shape.width, std::max(shape.inputs, shape.outputs));
}

void forward(const UnitForward &call) {
  const ConvolutionShape &shape = call.shape;
  const RowTiles layout = layout_of(shape);
  const Strip &strip = layout.strip;
  const int pixels = shape.height * shape.width;
  const int in_count = shape.inputs * pixels, out_count = shape.outputs * pixels;
  const int terms = shape.inputs * 3;
  const auto taps = layout.taps(shape.inputs);
  const PackedKernels packed(call.weight, shape.outputs, shape.inputs, false);

  in_parts(strip.strips, [&](int64_t first, int64_t last, int64_t) {
    Buffer in(planes * shape.inputs * strip.stride), out(planes * shape.outputs * strip.stride, false);
    Buffer rows(pixels, false);
    for (int64_t n = first; n < last; ++n) {  // Written out: as a closure it made a step a sixth slower.
      const auto [start, images] = strip.samples_of(n);
      for (int i = 0; i < images; ++i) {
        const float *input = call.input + (start + i) * in_count;
        float mean, deviation;
        moments(input, in_count, call.epsilon, mean, deviation);
        if (call.mean) call.mean[start + i] = mean, call.deviation[start + i] = deviation;
        for (int c = 0; c < shape.inputs; ++c) {
          const int at = c * pixels;
          layout.write(Normal{input + at, call.scale + at, call.shift + at, mean, deviation}, in, i, c, shape.inputs);
        }
      }
      for (int p = 0; p < planes; ++p)
        shifted_products(layout.plane(in, p, shape.inputs), taps.data(), terms, packed.plane(p), nullptr,
                         shape.outputs, layout.plane(out, p, shape.outputs) + strip.before, strip.stride,
                         images * strip.image_stride);
      for (int i = 0; i < images; ++i)
        for (int o = 0; o < shape.outputs; ++o) {
          const ptrdiff_t at = (start + i) * out_count + o * pixels;
          float *convolved = call.convolved ? call.convolved + at : rows;
          layout.read(out, i, o, shape.outputs, call.bias[o], convolved);
          silu(convolved, pixels, call.output + at);
        }
    }
  });
}

// What one thread adds up; the threads' sums are added in order, so that equal thread counts give equal bits.
struct GradientSums {
  Buffer scale, shift, kernels, bias;

  explicit GradientSums(const ConvolutionShape &shape)
      : scale(shape.inputs * shape.height * shape.width), shift(shape.inputs * shape.height * shape.width),
        kernels(planes * shape.outputs * shape.inputs * 3), bias(shape.outputs) {}
};

void backward(const UnitBackward &call) {
  const ConvolutionShape &shape = call.shape;
  const RowTiles layout = layout_of(shape);
  const Strip &strip = layout.strip;
  const int pixels = shape.height * shape.width;
  const int in_count = shape.inputs * pixels, out_count = shape.outputs * pixels;
  const int terms = shape.inputs * 3, back_terms = shape.outputs * 3;
  const auto taps = layout.taps(shape.inputs), back_taps = layout.taps(shape.outputs);
  const PackedKernels packed(call.weight, shape.outputs, shape.inputs, true);

  std::vector<std::unique_ptr<GradientSums>> sums_of_parts(parts_of(strip.strips));
  in_parts(strip.strips, [&](int64_t first, int64_t last, int64_t part) {
    auto sums = std::make_unique<GradientSums>(shape);
    Buffer in(planes * shape.inputs * strip.stride), back(planes * shape.inputs * strip.stride, false);
    Buffer out(planes * shape.outputs * strip.stride), image(in_count, false), rows(pixels, false);
    for (int64_t n = first; n < last; ++n) {
      const auto [start, images] = strip.samples_of(n);
      for (int i = 0; i < images; ++i) {
        const int64_t sample = start + i;
        for (int c = 0; c < shape.inputs; ++c) {
          const int at = c * pixels;
          layout.write(Normal{call.input + sample * in_count + at, call.scale + at, call.shift + at, call.mean[sample],
                              call.deviation[sample]},
                       in, i, c, shape.inputs);
        }
        for (int o = 0; o < shape.outputs; ++o) {
          const ptrdiff_t at = sample * out_count + o * pixels;
          sums->bias[o] += silu_gradient(call.output_gradient + at, call.convolved + at, pixels, rows);
          layout.write_gradient(rows, out, i, o, shape.outputs);
        }
      }
      strip.clear(out, images, planes * shape.outputs);
      const int length = images * strip.image_stride;
      for (int p = 0; p < planes; ++p) {
        const float *out_plane = layout.plane(out, p, shape.outputs);
        shifted_correlations(layout.plane(in, p, shape.inputs), taps.data(), terms, out_plane + strip.before,
                             strip.stride, shape.outputs, length, sums->kernels + p * shape.outputs * terms, terms);
        shifted_products(out_plane, back_taps.data(), back_terms, packed.plane(p), nullptr, shape.inputs,
                         layout.plane(back, p, shape.inputs) + strip.before, strip.stride, length);
      }
      for (int i = 0; i < images; ++i) {
        const int64_t sample = start + i;
        for (int c = 0; c < shape.inputs; ++c) layout.read_gradient(back, i, c, shape.inputs, image + c * pixels);
        norm_gradient(image, call.input + sample * in_count, call.scale, in_count, call.mean[sample],
                      call.deviation[sample], sums->scale, sums->shift,
                      call.input_gradient ? call.input_gradient + sample * in_count : nullptr);
      }
    }
    sums_of_parts[part] = std::move(sums);
  });

  const auto total_of = [&](Buffer GradientSums::*field, size_t count) -> const float * {
    float *total = (*sums_of_parts[0]).*field;
    for (size_t part = 1; part < sums_of_parts.size(); ++part) {
      const float *sums = (*sums_of_parts[part]).*field;
      for (size_t i = 0; i < count; ++i) total[i] += sums[i];
    }
    return total;
  };
  std::copy_n(total_of(&GradientSums::scale, in_count), in_count, call.scale_gradient);
  std::copy_n(total_of(&GradientSums::shift, in_count), in_count, call.shift_gradient);
  std::copy_n(total_of(&GradientSums::bias, shape.outputs), shape.outputs, call.bias_gradient);
  RowTiles::read_kernels_gradient(total_of(&GradientSums::kernels, planes * packed.size), packed.size, packed.size / 3,
                                  call.weight_gradient);
}

}  // namespace

extern const UnitKernels unit_kernels;
const UnitKernels unit_kernels{forward, backward};

}  // namespace DDN_ISA
