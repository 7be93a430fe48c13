// Picks the kernels for this machine's instructions.
#pragma once
#include <ATen/Version.h>

#include <string>

#include "block_kernels.h"
#include "convolution_kernels.h"
#include "node_kernels.h"
#include "resampling_kernels.h"
#include "unit_kernels.h"

#define DDN_KERNELS_OF(isa)                            \
  namespace isa {                                      \
  extern const UnitKernels unit_kernels;               \
  extern const NodeKernels node_kernels;               \
  extern const BlockKernels block_kernels;             \
  extern const ConvolutionKernels convolution_kernels; \
  extern const ResamplingKernels resampling_kernels;   \
  }
DDN_KERNELS_OF(baseline)
#ifdef __x86_64__
DDN_KERNELS_OF(avx2)
DDN_KERNELS_OF(avx512)
#endif
#undef DDN_KERNELS_OF

// One of three, by libtorch's own choice, which people can change with ATEN_CPU_CAPABILITY.
template <typename Kernels>
const Kernels &best_of([[maybe_unused]] const Kernels &avx512, [[maybe_unused]] const Kernels &avx2,
                       const Kernels &baseline) {
#ifdef __x86_64__
  static const std::string capability = at::get_cpu_capability();
  if (capability == "AVX512") return avx512;
  if (capability == "AVX2") return avx2;
#endif
  return baseline;
}

#ifdef __x86_64__
#define DDN_BEST(kernels) best_of(avx512::kernels, avx2::kernels, baseline::kernels)
#else
#define DDN_BEST(kernels) best_of(baseline::kernels, baseline::kernels, baseline::kernels)
#endif
