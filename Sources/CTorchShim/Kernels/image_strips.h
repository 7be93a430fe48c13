// Where the pixels of a strip of images lie; see shifted_products.h. Included by kernels only.
#pragma once
#include <algorithm>
#include <vector>

#include "parallel_loops.h"
#include "scratch_buffers.h"
#include "shifted_products.h"

namespace DDN_ISA {
namespace {

// The width of rows of whole vectors.
struct WholeVectors {
  int width;
  operator int() const { return width; }
};

// Runs body(width). The usual widths are compile-time constants, so that loops over a row become a few instructions.
template <typename Body>
inline void at_width(int width, const Body &body) {
  switch (width) {
    case 4: return body(std::integral_constant<int, 4>());
    case 8: return body(std::integral_constant<int, 8>());
    case 16: return body(std::integral_constant<int, 16>());
    case 32: return body(std::integral_constant<int, 32>());
    default: return width % lanes == 0 ? body(WholeVectors{width}) : body(width);
  }
}

// n floats of a row: as many as both the row and a register hold; one where the width is unusual.
template <int n>
struct RowOf {
  typedef float Type __attribute__((vector_size(n * sizeof(float))));
};
template <int n>
using Row = typename RowOf<n>::Type;

template <typename Width>
constexpr int row_lanes = 1;
template <int width>
constexpr int row_lanes<std::integral_constant<int, width>> = width < lanes ? width : lanes;

template <>
constexpr int row_lanes<WholeVectors> = lanes;

template <int n>
inline Row<n> load_row(const float *from) {
  Row<n> value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <int n>
inline void store_row(float *to, Row<n> value) {
  std::memcpy(to, &value, sizeof value);
}

struct Strip {
  int height, width;
  int images;        // per strip
  int pitch;         // floats from a row to the next
  int image_stride;  // floats from an image to the next
  int length;        // floats from the first pixel to the last
  ptrdiff_t before;  // zeros before the first pixel
  ptrdiff_t stride;  // floats from a channel to the next

  int64_t samples;  // in all strips
  int64_t strips;

  // Strips short enough for all channels to stay in the cache and long enough for the loops, equally many per thread.
  // `gap` is the number of zero rows after each image; with none, no tap may be above or below.
  static Strip within_cache(int64_t samples, int height, int width, int channels, int gap = 1) {
    const int image_stride = (height + gap) * (width + 1);
    const int64_t most = std::max(1, std::clamp(64 * 1024 / channels, 512, 1024) / image_stride);
    const int64_t threads = part_count(samples);
    const int64_t strips = ((samples + most - 1) / most + threads - 1) / threads * threads;
    return Strip(samples, height, width, gap, static_cast<int>((samples + strips - 1) / strips));
  }

  // One strip of all samples.
  static Strip whole(int samples, int height, int width, int gap) {
    return Strip(samples, height, width, gap, samples);
  }

  struct Samples {
    int64_t first;
    int count;
  };
  Samples samples_of(int64_t strip) const {
    const int64_t first = strip * images;
    return {first, static_cast<int>(std::min<int64_t>(images, samples - first))};
  }

  float *pixels(float *strip, int channel, int image) const {
    return strip + channel * stride + before + image * image_stride;
  }

  // Offset of the pixel `y` rows below and `x` columns right of a result's own, in a channel.
  ptrdiff_t tap(int channel, int y, int x) const { return channel * stride + before + y * pitch + x; }

  // Zeros all images from `first` on, which an earlier strip may have left there.
  void clear(float *strip, int first, int channels) const {
    for (int c = 0; c < channels && first < images; ++c)
      std::fill_n(pixels(strip, c, first), length - first * image_stride, 0.0f);
  }

  void copy(float *__restrict to, ptrdiff_t to_pitch, const float *__restrict from, ptrdiff_t from_pitch) const {
    at_width(width, [&](auto width) {
      for (int y = 0; y < height; ++y) std::memcpy(to + y * to_pitch, from + y * from_pitch, width * sizeof(float));
    });
  }

  // Copies an image [channels, H, W] into the strip, or out of it.
  void write(float *strip, int image, const float *from, int channels) const {
    for (int c = 0; c < channels; ++c) copy(pixels(strip, c, image), pitch, from + c * height * width, width);
  }
  void read(const float *strip, int image, float *to, int channels) const {
    for (int c = 0; c < channels; ++c)
      copy(to + c * height * width, width, pixels(const_cast<float *>(strip), c, image), pitch);
  }

 private:
  Strip(int64_t samples, int height, int width, int gap, int images)
      : height(height), width(width), images(images), samples(samples) {
    pitch = width + 1;
    image_stride = (height + gap) * pitch;
    length = images * image_stride;
    before = up_to_lanes(gap * pitch + 1);
    stride = before + up_to_lanes(length + gap * pitch + 1) + vectors_at_once * lanes;
    strips = (samples + images - 1) / images;
  }
};

}  // namespace
}  // namespace DDN_ISA
