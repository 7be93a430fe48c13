// Sums that the parts of a parallel loop add up separately. Included by kernels only.
#pragma once
#include <memory>
#include <vector>

#include "parallel_loops.h"
#include "scratch_buffers.h"

namespace DDN_ISA {
namespace {

// One array of sums per part. They are merged in order, so equal thread counts give equal bits.
class PartialSums {
 public:
  // For a parallel loop of `iterations`.
  PartialSums(int64_t iterations, size_t count) : count(count), sums(part_count(iterations)) {}

  // A part's sums, zeros at first. Called by the part itself, so that its thread's processor holds the memory.
  float *of_part(int64_t part) {
    if (!sums[part]) sums[part] = std::make_unique<ScratchBuffer>(count);
    return *sums[part];
  }

  // The sums over all parts; they live as long as this object.
  const float *total() {
    float *total = of_part(0);
    for (size_t part = 1; part < sums.size(); ++part) {
      const float *other = *sums[part];
      for (size_t i = 0; i < count; ++i) total[i] += other[i];
    }
    return total;
  }

 private:
  const size_t count;
  std::vector<std::unique_ptr<ScratchBuffer>> sums;
};

}  // namespace
}  // namespace DDN_ISA
