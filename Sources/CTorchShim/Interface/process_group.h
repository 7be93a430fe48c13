// What the files of process groups share.
#pragma once

#include <c10/util/intrusive_ptr.h>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include <chrono>

// NCCL's backend for this process's CUDA device; null where this library was built without NCCL's headers.
c10::intrusive_ptr<c10d::Backend> nccl_backend(const c10::intrusive_ptr<c10d::Store> &store, int rank, int ranks,
                                               std::chrono::milliseconds timeout);
