// Layer norm, 3x3 convolution and SiLU, for the instruction set DDN_ISA. A sample's intermediates stay in the cache.
#include "layer_norm_convolution_silu_kernels.h"

#include <algorithm>

#include "partial_sums.h"
#include "winograd_rows.h"

namespace DDN_ISA {
namespace {

Moments moments_of(const float *input, int count, float epsilon) {
  const float mean = sum_of_terms(input, count, [](Vector x) { return x; }) / count;
  const float variance = sum_of_terms(input, count, [mean](Vector x) { return (x - mean) * (x - mean); }) / count;
  return {mean, 1 / __builtin_sqrtf(variance + epsilon)};
}

// The rows of one channel of an image after the norm, for `WinogradRows::write`.
struct NormalizedRows {
  const float *input, *scale, *shift;  // [H, W]
  Moments moments;

  template <typename Count>
  Row<Count::value> operator()(Count n, int i) const {
    return moments.normalized(load_row<n>(input + i)) * load_row<n>(scale + i) + load_row<n>(shift + i);
  }
};

void silu(const float *input, int count, float *output) {
  for (int i = 0; i < count; i += lanes) store(output + i, silu(load(input + i)));
}

// The gradient of SiLU's input; returns its sum.
float silu_gradient(const float *output_gradient, const float *input, int count, float *input_gradient) {
  Vector total = {};
  for (int i = 0; i < count; i += lanes) {
    const Vector gradient = silu_gradient(load(output_gradient + i), load(input + i));
    total += gradient;
    store(input_gradient + i, gradient);
  }
  return sum(total);
}

// The norm's gradient for one image: adds to those of scale and shift; writes that of the input, which may be null.
void norm_gradient(const float *output_gradient, const float *input, const float *scale, int count, Moments moments,
                   float *scale_gradient, float *shift_gradient, float *input_gradient) {
  Vector sums = {}, products = {};
  for (int i = 0; i < count; i += lanes) {
    Vector gradient = load(output_gradient + i);
    const Vector normalized = moments.normalized(load(input + i));
    store(scale_gradient + i, load(scale_gradient + i) + gradient * normalized);
    store(shift_gradient + i, load(shift_gradient + i) + gradient);
    gradient *= load(scale + i);
    sums += gradient;
    products += gradient * normalized;
  }
  if (!input_gradient) return;
  const float mean_gradient = sum(sums) / count, mean_product = sum(products) / count;
  for (int i = 0; i < count; i += lanes) {
    const Vector normalized = moments.normalized(load(input + i));
    const Vector gradient = load(output_gradient + i) * load(scale + i);
    store(input_gradient + i, moments.gradient(gradient, normalized, mean_gradient, mean_product));
  }
}

WinogradRows layout_of(const ConvolutionShape &shape) {
  return WinogradRows::within_cache(shape.samples, shape.height, shape.width, std::max(shape.inputs, shape.outputs));
}

void forward(const LayerNormConvolutionSiluForward &call) {
  const ConvolutionShape &shape = call.shape;
  const WinogradRows layout = layout_of(shape);
  const Strip &strip = layout.strip;
  const int pixels = shape.height * shape.width;
  const int in_count = shape.inputs * pixels, out_count = shape.outputs * pixels;
  const int terms = shape.inputs * 3;
  const auto taps = layout.taps(shape.inputs);
  const PackedKernels packed(call.weight, shape.outputs, shape.inputs, false);

  parallel_for(strip.strips, [&](int64_t first, int64_t last, int64_t) {
    ScratchBuffer in(planes * shape.inputs * strip.stride);
    ScratchBuffer out(planes * shape.outputs * strip.stride, ScratchBuffer::uninitialized);
    ScratchBuffer rows(pixels, ScratchBuffer::uninitialized);
    for (int64_t n = first; n < last; ++n) {  // Not a closure per strip, which made a step a sixth slower.
      const auto [start, images] = strip.samples_of(n);
      for (int i = 0; i < images; ++i) {
        const float *input = call.input + (start + i) * in_count;
        const Moments moments = moments_of(input, in_count, call.epsilon);
        if (call.mean) call.mean[start + i] = moments.mean, call.rstd[start + i] = moments.rstd;
        for (int c = 0; c < shape.inputs; ++c) {
          const int at = c * pixels;
          layout.write(NormalizedRows{input + at, call.scale + at, call.shift + at, moments}, in, i, c, shape.inputs);
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

void backward(const LayerNormConvolutionSiluBackward &call) {
  const ConvolutionShape &shape = call.shape;
  const WinogradRows layout = layout_of(shape);
  const Strip &strip = layout.strip;
  const int pixels = shape.height * shape.width;
  const int in_count = shape.inputs * pixels, out_count = shape.outputs * pixels;
  const int terms = shape.inputs * 3, back_terms = shape.outputs * 3;
  const auto taps = layout.taps(shape.inputs), back_taps = layout.taps(shape.outputs);
  const PackedKernels packed(call.weight, shape.outputs, shape.inputs, true);

  // The gradients of scale, shift, bias and the planes of the kernels, one after the other.
  const ptrdiff_t shift_at = in_count, bias_at = shift_at + in_count, kernels_at = bias_at + up_to_lanes(shape.outputs);
  PartialSums partial_sums(strip.strips, kernels_at + planes * packed.size);
  parallel_for(strip.strips, [&](int64_t first, int64_t last, int64_t part) {
    float *sums = partial_sums.of_part(part);
    ScratchBuffer in(planes * shape.inputs * strip.stride), out(planes * shape.outputs * strip.stride);
    ScratchBuffer back(planes * shape.inputs * strip.stride, ScratchBuffer::uninitialized);
    ScratchBuffer image(in_count, ScratchBuffer::uninitialized), rows(pixels, ScratchBuffer::uninitialized);
    for (int64_t n = first; n < last; ++n) {
      const auto [start, images] = strip.samples_of(n);
      for (int i = 0; i < images; ++i) {
        const int64_t sample = start + i;
        const Moments moments{call.mean[sample], call.rstd[sample]};
        for (int c = 0; c < shape.inputs; ++c) {
          const int at = c * pixels;
          layout.write(NormalizedRows{call.input + sample * in_count + at, call.scale + at, call.shift + at, moments},
                       in, i, c, shape.inputs);
        }
        for (int o = 0; o < shape.outputs; ++o) {
          const ptrdiff_t at = sample * out_count + o * pixels;
          sums[bias_at + o] += silu_gradient(call.output_gradient + at, call.convolved + at, pixels, rows);
          layout.write_gradient(rows, out, i, o, shape.outputs);
        }
      }
      strip.clear(out, images, planes * shape.outputs);
      const int length = images * strip.image_stride;
      for (int p = 0; p < planes; ++p) {
        const float *out_plane = layout.plane(out, p, shape.outputs);
        shifted_correlations(layout.plane(in, p, shape.inputs), taps.data(), terms, out_plane + strip.before,
                             strip.stride, shape.outputs, length, sums + kernels_at + p * packed.size, terms);
        shifted_products(out_plane, back_taps.data(), back_terms, packed.plane(p), nullptr, shape.inputs,
                         layout.plane(back, p, shape.inputs) + strip.before, strip.stride, length);
      }
      for (int i = 0; i < images; ++i) {
        const int64_t sample = start + i;
        for (int c = 0; c < shape.inputs; ++c) layout.read_gradient(back, i, c, shape.inputs, image + c * pixels);
        norm_gradient(image, call.input + sample * in_count, call.scale, in_count,
                      {call.mean[sample], call.rstd[sample]}, sums, sums + shift_at,
                      call.input_gradient ? call.input_gradient + sample * in_count : nullptr);
      }
    }
  });

  const float *total = partial_sums.total();
  std::copy_n(total, in_count, call.scale_gradient);
  std::copy_n(total + shift_at, in_count, call.shift_gradient);
  std::copy_n(total + bias_at, shape.outputs, call.bias_gradient);
  WinogradRows::read_kernels_gradient(total + kernels_at, packed.size, packed.size / 3, call.weight_gradient);
}

}  // namespace

extern const LayerNormConvolutionSiluKernels layer_norm_convolution_silu_kernels;
const LayerNormConvolutionSiluKernels layer_norm_convolution_silu_kernels{forward, backward};

}  // namespace DDN_ISA
