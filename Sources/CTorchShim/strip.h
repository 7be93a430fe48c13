// Where the pixels of a strip of images lie; see shifted_products.h. Part of files of kernels for convolutions.
#pragma once
#include <algorithm>
#include <type_traits>
#include <vector>

#include "parts.h"
#include "shifted_products.h"

namespace DDN_ISA {
namespace {

// The width of rows that are whole vectors.
struct WholeVectors {
  int width;
  operator int() const { return width; }
};

// Runs body(width), where the usual widths are constants, so that loops over a row become a few vector operations.
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

// Part of a row: as many floats as the row and a register have, one at a time where the width is unusual.
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
  int images;         // in one strip
  int pitch;          // from a row to the next
  int image_stride;   // from an image to the next
  int length;         // of the part with pixels
  ptrdiff_t before;   // zeros in front of it
  ptrdiff_t stride;   // from a channel to the next

  int64_t samples;    // in all strips
  int64_t strips;

  // Strips whose channels are all within the cache, but whose rows are long, and about as many for each thread. Without
  // `gap`, rows of zeros between images, no tap may be above or below.
  static Strip within_cache(int64_t samples, int height, int width, int channels, int gap = 1) {
    const int image_stride = (height + gap) * (width + 1);
    const int64_t most = std::max(1, std::clamp(64 * 1024 / channels, 512, 1024) / image_stride);
    const int64_t threads = parts_of(samples);
    const int64_t strips = ((samples + most - 1) / most + threads - 1) / threads * threads;
    return Strip(samples, height, width, gap, static_cast<int>((samples + strips - 1) / strips));
  }

  // All samples in one strip.
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

  // From the pixel that a result belongs to, one that is `y` rows below it and `x` to the right in some channel.
  ptrdiff_t tap(int channel, int y, int x) const { return channel * stride + before + y * pitch + x; }

  // Zeros in place of all images from `first` on: what lies there is of an earlier strip.
  void clear(float *strip, int first, int channels) const {
    for (int c = 0; c < channels && first < images; ++c)
      std::fill_n(pixels(strip, c, first), length - first * image_stride, 0.0f);
  }

  void copy(float *__restrict to, ptrdiff_t to_pitch, const float *__restrict from, ptrdiff_t from_pitch) const {
    at_width(width, [&](auto width) {
      for (int y = 0; y < height; ++y) std::memcpy(to + y * to_pitch, from + y * from_pitch, width * sizeof(float));
    });
  }

  // An image of all channels, [channels, H, W], into the strip, or out of it.
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
