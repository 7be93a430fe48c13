// Where the pixels of a strip of images lie; see shifted_products.h. Part of every file of kernels.
#pragma once
#include <algorithm>
#include <vector>

#include "parts.h"
#include "shifted_products.h"

namespace DDN_ISA {
namespace {

struct Strip {
  int height, width;
  int images;         // in one strip
  int pitch;          // from a row to the next
  int image_stride;   // from an image to the next
  int length;         // of the part with pixels
  ptrdiff_t before;   // zeros in front of it
  ptrdiff_t stride;   // from a channel to the next

  int64_t strips;     // for all samples

  // Long rows of pixels, but all channels within the cache, and about as many strips for each thread.
  Strip(int64_t samples, int height, int width, int channels) : height(height), width(width) {
    pitch = width + 1;
    image_stride = (height + 1) * pitch;
    const int most = std::max(1, std::min(1024, 64 * 1024 / channels) / image_stride);
    const int64_t threads = parts_of(samples);
    strips = ((samples + most - 1) / most + threads - 1) / threads * threads;
    images = static_cast<int>((samples + strips - 1) / strips);
    strips = (samples + images - 1) / images;
    length = images * image_stride;
    before = up_to_lanes(pitch + 1);
    stride = before + up_to_lanes(length + pitch + 1) + vectors_at_once * lanes;
  }

  float *pixels(float *strip, int channel, int image) const {
    return strip + channel * stride + before + image * image_stride;
  }

  // From the pixel that a result belongs to, one that is `y` rows below it and `x` to the right in some channel.
  ptrdiff_t tap(int channel, int y, int x) const { return channel * stride + before + y * pitch + x; }

  std::vector<ptrdiff_t> taps_of_3x3(int channels) const {
    std::vector<ptrdiff_t> offsets;
    for (int channel = 0; channel < channels; ++channel)
      for (int y = -1; y <= 1; ++y)
        for (int x = -1; x <= 1; ++x) offsets.push_back(tap(channel, y, x));
    return offsets;
  }

  // Zeros in place of all images from `first` on: what lies there is of an earlier strip.
  void clear(float *strip, int first, int channels) const {
    for (int c = 0; c < channels && first < images; ++c)
      std::fill_n(pixels(strip, c, first), length - first * image_stride, 0.0f);
  }

  template <int row>
  static void copy_rows(float *to, ptrdiff_t to_pitch, const float *from, ptrdiff_t from_pitch, int rows) {
    for (int y = 0; y < rows; ++y) std::memcpy(to + y * to_pitch, from + y * from_pitch, row * sizeof(float));
  }

  void copy(float *to, ptrdiff_t to_pitch, const float *from, ptrdiff_t from_pitch) const {
    switch (width) {
      case 4: return copy_rows<4>(to, to_pitch, from, from_pitch, height);
      case 8: return copy_rows<8>(to, to_pitch, from, from_pitch, height);
      case 16: return copy_rows<16>(to, to_pitch, from, from_pitch, height);
      case 32: return copy_rows<32>(to, to_pitch, from, from_pitch, height);
      default:
        for (int y = 0; y < height; ++y)
          std::memcpy(to + y * to_pitch, from + y * from_pitch, width * sizeof(float));
    }
  }

  // An image of all channels, [channels, H, W], into the strip, or out of it.
  void write(float *strip, int image, const float *from, int channels) const {
    for (int c = 0; c < channels; ++c) copy(pixels(strip, c, image), pitch, from + c * height * width, width);
  }
  void read(const float *strip, int image, float *to, int channels) const {
    for (int c = 0; c < channels; ++c)
      copy(to + c * height * width, width, pixels(const_cast<float *>(strip), c, image), pitch);
  }
};

}  // namespace
}  // namespace DDN_ISA
