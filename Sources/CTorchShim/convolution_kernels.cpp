// The kernels of convolution.cpp for one instruction set, whose name is DDN_ISA: see row_tiles.h for how.
//
// Planes of some images are made, multiplied and read again, each step by all threads. Within a step no two threads
// write the same number, and no order of additions depends on them: any number of threads gives the same bits.
#include "convolution_kernels.h"

#include <algorithm>

#include "parts.h"
#include "row_tiles.h"

namespace DDN_ISA {
namespace {

// A few images after the other: as many as make the products' rows long while the channels' planes are in the cache.
struct Portions {
  int images;  // in one, at most
  const ConvolutionShape &shape;

  Portions(const ConvolutionShape &shape, int floats_in_cache) : shape(shape) {
    const int of_image = layout(1).strip.image_stride;
    const int floats = std::clamp(floats_in_cache / std::max(shape.inputs, shape.outputs), 256, 1024);
    const int64_t portions = std::max<int64_t>(1, (shape.samples * of_image + floats / 2) / floats);
    images = static_cast<int>((shape.samples + portions - 1) / portions);
  }

  RowTiles layout(int images) const { return RowTiles::whole(images, shape.height, shape.width); }

  size_t floats_of_planes(int channels) const { return planes * size_t(channels) * layout(images).strip.stride; }

  // Runs body(first sample, layout) for each.
  template <typename Body>
  void for_each(const Body &body) const {
    for (int64_t first = 0; first < shape.samples; first += images)
      body(first, layout(static_cast<int>(std::min<int64_t>(images, shape.samples - first))));
  }
};

// Every plane of the products: each of `outputs` rows from `inputs` rows.
void multiply(const RowTiles &layout, float *in, int inputs, const PackedKernels &kernels, float *out, int outputs) {
  const Strip &strip = layout.strip;
  const auto taps = layout.taps(inputs);
  constexpr int vectors = vectors_at_once * lanes;
  const int blocks = (strip.length + vectors - 1) / vectors;
  in_parts(int64_t(planes) * blocks, [&](int64_t first, int64_t last, int64_t) {
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

void forward(const ConvolutionForward &call) {
  const ConvolutionShape &shape = call.shape;
  const ptrdiff_t pixels = ptrdiff_t(shape.height) * shape.width;
  const PackedKernels kernels(call.weight, shape.outputs, shape.inputs, false);
  const Portions portions(shape, 64 * 1024);
  Buffer in(portions.floats_of_planes(shape.inputs), false), out(portions.floats_of_planes(shape.outputs), false);
  portions.for_each([&](int64_t sample, const RowTiles &layout) {
    const int images = layout.strip.images;
    in_parts(shape.inputs, [&](int64_t first, int64_t last, int64_t) {
      for (int channel = first; channel < last; ++channel) {
        layout.clear_gaps(in, channel, shape.inputs);
        for (int i = 0; i < images; ++i) {
          const ChannelRows rows{call.input + ((sample + i) * shape.inputs + channel) * pixels};
          layout.write(rows, in, i, channel, shape.inputs);
        }
      }
    });
    multiply(layout, in, shape.inputs, kernels, out, shape.outputs);
    in_parts(int64_t(images) * shape.outputs, [&](int64_t first, int64_t last, int64_t) {
      for (int64_t n = first; n < last; ++n) {
        const int image = static_cast<int>(n / shape.outputs), channel = static_cast<int>(n % shape.outputs);
        layout.read(out, image, channel, shape.outputs, call.bias[channel],
                    call.output + (sample * shape.outputs + n) * pixels);
      }
    });
  });
}

void backward(const ConvolutionBackward &call) {
  const ConvolutionShape &shape = call.shape;
  const ptrdiff_t pixels = ptrdiff_t(shape.height) * shape.width;
  const int terms = shape.inputs * 3;
  const PackedKernels kernels(call.weight, shape.outputs, shape.inputs, true);
  const Portions portions(shape, 128 * 1024);
  Buffer in(portions.floats_of_planes(shape.inputs), false), out(portions.floats_of_planes(shape.outputs), false);
  Buffer back(portions.floats_of_planes(shape.inputs), false), of_kernels(planes * kernels.size);
  portions.for_each([&](int64_t sample, const RowTiles &layout) {
    const Strip &strip = layout.strip;
    in_parts(shape.inputs + shape.outputs, [&](int64_t first, int64_t last, int64_t) {
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
    in_parts(int64_t(planes) * passes, [&](int64_t first, int64_t last, int64_t) {
      for (int64_t n = first; n < last; ++n) {
        const int plane = static_cast<int>(n / passes), output = static_cast<int>(n % passes) * rows_at_once;
        const float *with = layout.plane(out, plane, shape.outputs) + output * strip.stride + strip.before;
        shifted_correlations(layout.plane(in, plane, shape.inputs), taps.data(), terms, with, strip.stride,
                             std::min(rows_at_once, shape.outputs - output), strip.length,
                             of_kernels + plane * kernels.size + ptrdiff_t(output) * terms, terms);
      }
    });
    multiply(layout, out, shape.outputs, kernels, back, shape.inputs);
    in_parts(int64_t(strip.images) * shape.inputs, [&](int64_t first, int64_t last, int64_t) {
      for (int64_t n = first; n < last; ++n)
        layout.read_gradient(back, static_cast<int>(n / shape.inputs), static_cast<int>(n % shape.inputs), shape.inputs,
                             call.input_gradient + (sample * shape.inputs + n) * pixels);
    });
  });
  in_parts(shape.outputs, [&](int64_t first, int64_t last, int64_t) {
    RowTiles::read_kernels_gradient(of_kernels + first * terms, kernels.size, (last - first) * shape.inputs,
                                    call.weight_gradient + first * shape.inputs * 9);
  });
}

}  // namespace

extern const ConvolutionKernels convolution_kernels;
const ConvolutionKernels convolution_kernels{lanes > 4, forward, backward};

}  // namespace DDN_ISA
