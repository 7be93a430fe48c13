// Indices of rows and nodes as the kernels read them.
#pragma once
#include "operators.h"

inline const int64_t *indices(const optional<Tensor> &tensor) {
  return tensor ? tensor->const_data_ptr<int64_t>() : nullptr;
}

inline void check_indices(const Tensor &tensor, int64_t bound, const char *name) {
  TORCH_CHECK(tensor.is_cpu() && tensor.scalar_type() == at::kLong && tensor.dim() == 1 && tensor.is_contiguous(), name,
              " must be a one-dimensional int64 tensor on the CPU");
  const int64_t *numbers = tensor.const_data_ptr<int64_t>();
  for (int64_t n = 0; n < tensor.numel(); ++n)
    TORCH_CHECK(numbers[n] >= 0 && numbers[n] < bound, name, " has ", numbers[n], ", which is not within 0..<", bound);
}
