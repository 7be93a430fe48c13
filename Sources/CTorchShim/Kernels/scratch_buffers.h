// Temporary memory of kernels.
#pragma once
#include <cstddef>
#include <memory>

// Floats from the allocator of tensors: aligned to vectors, with room for one more vector at the end.
class ScratchBuffer {
 public:
  enum Contents { zeros, uninitialized };

  explicit ScratchBuffer(size_t count, Contents contents = zeros);
  operator float *() { return floats.get(); }
  operator const float *() const { return floats.get(); }

 private:
  std::unique_ptr<float, void (*)(void *)> floats;
};
