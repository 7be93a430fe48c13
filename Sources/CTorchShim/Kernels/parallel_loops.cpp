#include "parallel_loops.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/TensorIterator.h>

#include <algorithm>

int64_t part_count(int64_t count) { return std::min<int64_t>(count, at::get_num_threads()); }

// libtorch's own threads, through a tensor iterator over the part numbers: at::parallel_for is a header that would be
// compiled against this compiler's OpenMP, and a process with two OpenMP runtimes has twice the threads.
void parallel_for(int64_t count, const std::function<void(int64_t, int64_t, int64_t)> &body) {
  const int64_t parts = part_count(count);
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
