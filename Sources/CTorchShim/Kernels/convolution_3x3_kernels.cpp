// 3x3 convolutions of many channels, for the instruction set DDN_ISA; see winograd_rows.h.
//
// Planes of a few images are computed, multiplied and read back, each step on all threads. Within a step no two threads
// write the same number and no sum is divided among threads, so results do not depend on the thread count.
#include "convolution_3x3_kernels.h"

#include <algorithm>

#include "parallel_loops.h"
#include "winograd_rows.h"

namespace DDN_ISA {
namespace {

// A few images at a time: enough for long rows of products, few enough for the channels' planes to stay in the cache.
struct Portions {
  int images;  // per portion, at most
  const ConvolutionShape &shape;

  Portions(const ConvolutionShape &shape, int floats_in_cache) : shape(shape) {
    const int of_image = layout(1).strip.image_stride;
    const int floats = std::clamp(floats_in_cache / std::max(shape.inputs, shape.outputs), 256, 1024);
    const int64_t portions = std::max<int64_t>(1, (shape.samples * of_image + floats / 2) / floats);
    images = static_cast<int>((shape.samples + portions - 1) / portions);
  }

  WinogradRows layout(int images) const { return WinogradRows::whole(images, shape.height, shape.width); }

  ScratchBuffer planes_of(int channels) const {
    return ScratchBuffer(planes * size_t(channels) * layout(images).strip.stride, ScratchBuffer::uninitialized);
  }

  // Runs body(first sample, layout) for each portion.
  template <typename Body>
  void for_each(const Body &body) const {
    for (int64_t first = 0; first < shape.samples; first += images)
      body(first, layout(static_cast<int>(std::min<int64_t>(images, shape.samples - first))));
  }
};

// All planes of the products: `outputs` rows each, from `inputs` rows.
void multiply(const WinogradRows &layout, float *in, int inputs, const PackedKernels &kernels, float *out,
              int outputs) {
  const Strip &strip = layout.strip;
  const auto taps = layout.taps(inputs);
  constexpr int vectors = vectors_at_once * lanes;
  const int blocks = (strip.length + vectors - 1) / vectors;
  parallel_for(int64_t(planes) * blocks, [&](int64_t first, int64_t last, int64_t) {
    while (first < last) {
      const int plane = static_cast<int>(first / blocks), block = static_cast<int>(first % blocks);
      const int count = static_cast<int>(std::min<int64_t>(blocks - block, last - first));
      const int start = block * vectors;
      shifted_products(layout.plane(in, plane, inputs) + start, taps.data(), inputs * 3, kernels.plane(plane), nullptr,
                       outputs, layout.plane(out, plane, outputs) + strip.before + start, strip.stride,
                       std::min(count * vectors, strip.length - start));
      first += count;
    }
  });
}

void forward(const Convolution3x3Forward &call) {
  const ConvolutionShape &shape = call.shape;
  const ptrdiff_t pixels = ptrdiff_t(shape.height) * shape.width;
  const PackedKernels kernels(call.weight, shape.outputs, shape.inputs, false);
  const Portions portions(shape, 64 * 1024);
  ScratchBuffer in = portions.planes_of(shape.inputs), out = portions.planes_of(shape.outputs);
  portions.for_each([&](int64_t sample, const WinogradRows &layout) {
    const int images = layout.strip.images;
    parallel_for(shape.inputs, [&](int64_t first, int64_t last, int64_t) {
      for (int channel = first; channel < last; ++channel) {
        layout.clear_gaps(in, channel, shape.inputs);
        for (int i = 0; i < images; ++i) {
          const ChannelRows rows{call.input + ((sample + i) * shape.inputs + channel) * pixels};
          layout.write(rows, in, i, channel, shape.inputs);
        }
      }
    });
    multiply(layout, in, shape.inputs, kernels, out, shape.outputs);
    parallel_for(int64_t(images) * shape.outputs, [&](int64_t first, int64_t last, int64_t) {
      for (int64_t n = first; n < last; ++n) {
        const int image = static_cast<int>(n / shape.outputs), channel = static_cast<int>(n % shape.outputs);
        layout.read(out, image, channel, shape.outputs, call.bias[channel],
                    call.output + (sample * shape.outputs + n) * pixels);
      }
    });
  });
}

void backward(const Convolution3x3Backward &call) {
  const ConvolutionShape &shape = call.shape;
  const ptrdiff_t pixels = ptrdiff_t(shape.height) * shape.width;
  const int terms = shape.inputs * 3;
  const PackedKernels kernels(call.weight, shape.outputs, shape.inputs, true);
  const Portions portions(shape, 128 * 1024);
  ScratchBuffer in = portions.planes_of(shape.inputs), out = portions.planes_of(shape.outputs);
  ScratchBuffer back = portions.planes_of(shape.inputs), of_kernels(planes * kernels.size);
  portions.for_each([&](int64_t sample, const WinogradRows &layout) {
    const Strip &strip = layout.strip;
    parallel_for(shape.inputs + shape.outputs, [&](int64_t first, int64_t last, int64_t) {
      for (int channel = first; channel < last; ++channel) {
        const bool is_input = channel < shape.inputs;
        const int own = is_input ? channel : channel - shape.inputs, channels = is_input ? shape.inputs : shape.outputs;
        layout.clear_gaps(is_input ? in : out, own, channels);
        for (int i = 0; i < strip.images; ++i) {
          const ptrdiff_t at = ((sample + i) * channels + own) * pixels;
          if (is_input) layout.write(ChannelRows{call.input + at}, in, i, own, channels);
          else layout.write_gradient(call.output_gradient + at, out, i, own, channels);
        }
      }
    });
    const auto taps = layout.taps(shape.inputs);
    const int passes = (shape.outputs + rows_at_once - 1) / rows_at_once;
    parallel_for(int64_t(planes) * passes, [&](int64_t first, int64_t last, int64_t) {
      for (int64_t n = first; n < last; ++n) {
        const int plane = static_cast<int>(n / passes), output = static_cast<int>(n % passes) * rows_at_once;
        const float *with = layout.plane(out, plane, shape.outputs) + output * strip.stride + strip.before;
        shifted_correlations(layout.plane(in, plane, shape.inputs), taps.data(), terms, with, strip.stride,
                             std::min(rows_at_once, shape.outputs - output), strip.length,
                             of_kernels + plane * kernels.size + ptrdiff_t(output) * terms, terms);
      }
    });
    multiply(layout, out, shape.outputs, kernels, back, shape.inputs);
    parallel_for(int64_t(strip.images) * shape.inputs, [&](int64_t first, int64_t last, int64_t) {
      for (int64_t n = first; n < last; ++n)
        layout.read_gradient(back, static_cast<int>(n / shape.inputs), static_cast<int>(n % shape.inputs), shape.inputs,
                             call.input_gradient + (sample * shape.inputs + n) * pixels);
    });
  });
  parallel_for(shape.outputs, [&](int64_t first, int64_t last, int64_t) {
    WinogradRows::read_kernels_gradient(of_kernels + first * terms, kernels.size, (last - first) * shape.inputs,
                                    call.weight_gradient + first * shape.inputs * 9);
  });
}

}  // namespace

extern const Convolution3x3Kernels convolution_3x3_kernels;
const Convolution3x3Kernels convolution_3x3_kernels{lanes > 4, forward, backward};

}  // namespace DDN_ISA
