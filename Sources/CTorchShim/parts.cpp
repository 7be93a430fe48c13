#include "parts.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/TensorIterator.h>
#include <c10/core/CPUAllocator.h>

#include <algorithm>

int64_t parts_of(int64_t count) { return std::min<int64_t>(count, at::get_num_threads()); }

// libtorch's own threads, reached through a loop that it runs over the numbers of the parts: its header for this would
// be compiled against this compiler's OpenMP, and a program with two OpenMPs has twice the threads.
void in_parts(int64_t count, const std::function<void(int64_t, int64_t, int64_t)> &body) {
  const int64_t parts = parts_of(count);
  const auto run = [&](int64_t part) { body(count * part / parts, count * (part + 1) / parts, part); };
  if (parts <= 1) {
    if (parts == 1) run(0);
    return;
  }
  at::AutoDispatchBelowADInplaceOrView below;
  at::Tensor numbers = at::arange(parts, at::kLong);
  auto iterator = at::TensorIteratorConfig()
                      .check_all_same_dtype(false)
                      .resize_outputs(false)
                      .declare_static_shape({parts})
                      .add_output(numbers)
                      .build();
  const auto loop = [&](char **data, const int64_t *strides, int64_t size, int64_t) {  // always one dimension
    for (int64_t n = 0; n < size; ++n) run(*reinterpret_cast<int64_t *>(data[0] + n * strides[0]));
  };
  iterator.for_each(at::TensorIteratorBase::loop2d_t(loop), 1);
}

Buffer::Buffer(size_t count, bool begins_as_zeros)
    : floats(static_cast<float *>(c10::GetCPUAllocator()->raw_allocate((count + 16) * sizeof(float)))) {
  if (begins_as_zeros) std::fill_n(floats, count, 0.0f);
}

Buffer::~Buffer() { c10::GetCPUAllocator()->raw_deallocate(floats); }
