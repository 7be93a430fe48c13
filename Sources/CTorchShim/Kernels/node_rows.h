// Rows of features as the kernels of nodes read them. Included by kernels only.
#pragma once
#include <vector>

#include "scratch_buffers.h"
#include "shifted_products.h"

namespace DDN_ISA {
namespace {

// Rows [count, length] as vectors read them: in place, or copied and padded with zeros to whole vectors.
class PaddedRows {
 public:
  PaddedRows(int count, int length)
      : count(count), length(length), stride(up_to_lanes(length)), copy(stride == length ? 0 : size_t(count) * stride) {
  }

  const float *of(const float *rows) {
    if (stride == length) return rows;
    for (int row = 0; row < count; ++row) std::memcpy(copy + row * stride, rows + row * length, length * sizeof(float));
    return copy;
  }

  const int count, length, stride;

 private:
  ScratchBuffer copy;
};

inline std::vector<ptrdiff_t> offsets_of_rows(int count, ptrdiff_t stride) {
  std::vector<ptrdiff_t> offsets(count);
  for (int row = 0; row < count; ++row) offsets[row] = row * stride;
  return offsets;
}

// The samples that read each row: row r is read by order[starts[r]..<starts[r + 1]].
struct Readers {
  std::vector<int64_t> starts, order;

  Readers(const int64_t *row_of_sample, int64_t rows, int64_t samples) : starts(rows + 1), order(samples) {
    const auto row_of = [&](int64_t sample) { return row_of_sample ? row_of_sample[sample] : sample; };
    for (int64_t sample = 0; sample < samples; ++sample) ++starts[row_of(sample) + 1];
    for (int64_t row = 0; row < rows; ++row) starts[row + 1] += starts[row];
    std::vector<int64_t> next(starts.begin(), starts.end() - 1);
    for (int64_t sample = 0; sample < samples; ++sample) order[next[row_of(sample)]++] = sample;
  }
};

}  // namespace
}  // namespace DDN_ISA
