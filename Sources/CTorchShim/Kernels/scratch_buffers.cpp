#include "scratch_buffers.h"

#include <c10/core/CPUAllocator.h>

#include <algorithm>

namespace {

std::unique_ptr<float, void (*)(void *)> allocated(size_t count) {
  c10::DataPtr data = c10::GetCPUAllocator()->allocate(count * sizeof(float));
  const auto free = data.get_deleter();  // the allocator may be another one by then
  return {static_cast<float *>(data.release_context()), free};
}

}  // namespace

ScratchBuffer::ScratchBuffer(size_t count, Contents contents) : floats(allocated(count + 16)) {
  if (contents == zeros) std::fill_n(floats.get(), count, 0.0f);
}
