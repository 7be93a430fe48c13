// Work shared out among libtorch's threads, and the memory that each works in.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>

// How many parts `count` pieces of work make: with equal thread counts, always the same pieces together.
int64_t parts_of(int64_t count);

// Runs body(first, last, part) for each part, side by side; first..<last are its pieces.
void in_parts(int64_t count, const std::function<void(int64_t, int64_t, int64_t)> &body);

// Floats that begin as zeros, at an address that cuts no vector in two.
class Buffer {
 public:
  explicit Buffer(size_t count)
      : floats(static_cast<float *>(std::aligned_alloc(64, (count * sizeof(float) + 127) / 64 * 64)), std::free) {
    if (!floats) throw std::bad_alloc();
    std::fill_n(floats.get(), count, 0.0f);
  }
  operator float *() { return floats.get(); }
  operator const float *() const { return floats.get(); }

 private:
  std::unique_ptr<float, void (*)(void *)> floats;
};
