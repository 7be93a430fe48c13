// NCCL's backend. Its headers come with CUDA's libraries; CMake defines USE_C10D_NCCL where it has found them.
#include "process_group.h"

#ifdef USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include <cstdlib>
#endif

c10::intrusive_ptr<c10d::Backend> nccl_backend(const c10::intrusive_ptr<c10d::Store> &store, int rank, int ranks,
                                               std::chrono::milliseconds timeout) {
#ifdef USE_C10D_NCCL
  // Failures are thrown where they are waited for; otherwise NCCL's watchdog ends the process with pages of text.
  setenv("TORCH_NCCL_BLOCKING_WAIT", "1", 0);
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = timeout;
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank, ranks, options);
#else
  (void)store, (void)rank, (void)ranks, (void)timeout;
  return {};
#endif
}
