// 4x4 convolutions down and up, for the instruction set DDN_ISA.
//
// A larger image is read as four of the smaller size, its *phases*: the pixels of even and odd rows and columns. Each
// phase meets four taps of a 4x4 kernel with stride 2, at steps of 0 and 1 or -1: a convolution without a stride.
#include "convolution_4x4_kernels.h"

#include "image_strips.h"
#include "partial_sums.h"

namespace DDN_ISA {
namespace {

// In one direction: the phase that tap 0..<4 reads, and the step in pixels of the phase.
constexpr int phase_of[4] = {1, 0, 1, 0}, step_of[4] = {-1, 0, 0, 1};

// Phases (y, x) of an image [channels, 2h, 2w] are channels (2 y + x) * channels + c of a strip. Runs body(row, even,
// odd, width) for each row of the image and the places of its even and odd pixels.
template <typename Float, typename Body>
void for_phases(const Strip &strip, float *phases, int image, Float *pixels, int channels, const Body &body) {
  at_width(strip.width, [&](auto width) {
    for (int c = 0; c < channels; ++c)
      for (int y = 0; y < 2 * strip.height; ++y) {
        const int phase = y % 2 * 2;
        float *even = strip.pixels(phases, phase * channels + c, image) + y / 2 * strip.pitch;
        float *odd = strip.pixels(phases, (phase + 1) * channels + c, image) + y / 2 * strip.pitch;
        body(pixels + (ptrdiff_t(c) * 2 * strip.height + y) * 2 * width, even, odd, width);
      }
  });
}

void write_phases(const Strip &strip, float *to, int image, const float *from, int channels) {
  for_phases(strip, to, image, from, channels, [](const float *row, float *even, float *odd, auto width) {
    for (int x = 0; x < width; ++x) even[x] = row[2 * x], odd[x] = row[2 * x + 1];
  });
}

void read_phases(const Strip &strip, float *from, int image, float *to, int channels) {
  for_phases(strip, from, image, to, channels, [](float *row, const float *even, const float *odd, auto width) {
    for (int x = 0; x < width; ++x) row[2 * x] = even[x], row[2 * x + 1] = odd[x];
  });
}

Strip strip_of(const Convolution4x4Shape &shape) {
  return Strip::within_cache(shape.samples, shape.height, shape.width, std::max(shape.low, 4 * shape.high));
}

// Offsets of a kernel's taps (channel, y, x) among the phases.
std::vector<ptrdiff_t> taps_of_phases(const Strip &strip, int channels) {
  std::vector<ptrdiff_t> offsets;
  for (int c = 0; c < channels; ++c)
    for (int y = 0; y < 4; ++y)
      for (int x = 0; x < 4; ++x)
        offsets.push_back(strip.tap((2 * phase_of[y] + phase_of[x]) * channels + c, step_of[y], step_of[x]));
  return offsets;
}

void down(const Convolution4x4Shape &shape, const float *high, const float *weight, const float *bias, float *low) {
  const Strip strip = strip_of(shape);
  const ptrdiff_t pixels = ptrdiff_t(shape.height) * shape.width;
  const int terms = shape.high * 16;
  const auto taps = taps_of_phases(strip, shape.high);
  ScratchBuffer packed(size_t(shape.low) * terms);
  pack(weight, shape.low, terms, packed);
  parallel_for(strip.strips, [&](int64_t first, int64_t last, int64_t) {
    ScratchBuffer in(4 * shape.high * strip.stride), out(shape.low * strip.stride);
    for (int64_t n = first; n < last; ++n) {
      const auto [start, images] = strip.samples_of(n);
      for (int i = 0; i < images; ++i)
        write_phases(strip, in, i, high + (start + i) * shape.high * 4 * pixels, shape.high);
      shifted_products(in, taps.data(), terms, packed, bias, shape.low, out + strip.before, strip.stride,
                       images * strip.image_stride);
      for (int i = 0; i < images; ++i) strip.read(out, i, low + (start + i) * shape.low * pixels, shape.low);
    }
  });
}

void up(const Convolution4x4Shape &shape, const float *low, const float *weight, const float *bias, float *high) {
  const Strip strip = strip_of(shape);
  const ptrdiff_t pixels = ptrdiff_t(shape.height) * shape.width;
  const int terms = shape.low * 4;  // of each phase
  const ptrdiff_t packed_size = ptrdiff_t(shape.high) * terms;
  std::vector<ptrdiff_t> taps[4], sources[4];  // per phase and term: offsets of pixels, and of output 0's weights
  for (int c = 0; c < shape.low; ++c)
    for (int y = 0; y < 4; ++y)
      for (int x = 0; x < 4; ++x) {
        const int phase = 2 * phase_of[y] + phase_of[x];
        taps[phase].push_back(strip.tap(c, -step_of[y], -step_of[x]));
        sources[phase].push_back(ptrdiff_t(c) * shape.high * 16 + y * 4 + x);
      }
  ScratchBuffer packed(4 * packed_size);
  for (int phase = 0; phase < 4; ++phase)
    pack(shape.high, terms, packed + phase * packed_size,
         [&, from = sources[phase].data()](int output, int term) { return weight[from[term] + output * 16]; });
  parallel_for(strip.strips, [&](int64_t first, int64_t last, int64_t) {
    ScratchBuffer in(shape.low * strip.stride), out(4 * shape.high * strip.stride);
    for (int64_t n = first; n < last; ++n) {
      const auto [start, images] = strip.samples_of(n);
      for (int i = 0; i < images; ++i) strip.write(in, i, low + (start + i) * shape.low * pixels, shape.low);
      for (int phase = 0; phase < 4; ++phase)
        shifted_products(in, taps[phase].data(), terms, packed + phase * packed_size, bias, shape.high,
                         out + phase * shape.high * strip.stride + strip.before, strip.stride,
                         images * strip.image_stride);
      for (int i = 0; i < images; ++i)
        read_phases(strip, out, i, high + (start + i) * shape.high * 4 * pixels, shape.high);
    }
  });
}

void weight_gradient(const Convolution4x4Shape &shape, const float *low, const float *high, float *gradient) {
  const Strip strip = strip_of(shape);
  const ptrdiff_t pixels = ptrdiff_t(shape.height) * shape.width;
  const int terms = shape.high * 16;
  const ptrdiff_t count = ptrdiff_t(shape.low) * terms;
  const auto taps = taps_of_phases(strip, shape.high);
  PartialSums sums(strip.strips, count);
  parallel_for(strip.strips, [&](int64_t first, int64_t last, int64_t part) {
    float *sums_of_part = sums.of_part(part);
    ScratchBuffer in(4 * shape.high * strip.stride), with(shape.low * strip.stride);
    for (int64_t n = first; n < last; ++n) {
      const auto [start, images] = strip.samples_of(n);
      for (int i = 0; i < images; ++i) {
        write_phases(strip, in, i, high + (start + i) * shape.high * 4 * pixels, shape.high);
        strip.write(with, i, low + (start + i) * shape.low * pixels, shape.low);
      }
      strip.clear(with, images, shape.low);
      shifted_correlations(in, taps.data(), terms, with + strip.before, strip.stride, shape.low,
                           images * strip.image_stride, sums_of_part, terms);
    }
  });
  std::copy_n(sums.total(), count, gradient);
}

}  // namespace

extern const Convolution4x4Kernels convolution_4x4_kernels;
const Convolution4x4Kernels convolution_4x4_kernels{down, up, weight_gradient};

}  // namespace DDN_ISA
