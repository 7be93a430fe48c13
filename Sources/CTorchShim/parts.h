// Work shared out among libtorch's threads, and the memory that each works in.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>

// How many parts `count` pieces of work make: with equal thread counts, always the same pieces together.
int64_t parts_of(int64_t count);

// Runs body(first, last, part) for each part, side by side; first..<last are its pieces.
void in_parts(int64_t count, const std::function<void(int64_t, int64_t, int64_t)> &body);

// Floats that begin as zeros, unless told otherwise, with room for one more vector behind them. They lie where tensors
// do, at an address that cuts no vector in two.
class Buffer {
 public:
  explicit Buffer(size_t count, bool begins_as_zeros = true);
  ~Buffer();
  Buffer(const Buffer &) = delete;
  Buffer &operator=(const Buffer &) = delete;
  operator float *() { return floats; }
  operator const float *() const { return floats; }

 private:
  float *floats;
};
