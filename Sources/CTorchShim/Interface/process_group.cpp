// Process groups: tensors in host memory go through gloo, those of CUDA devices through NCCL where it is built in.
#include "process_group.h"

#include <c10/util/Flags.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <string>
#include <vector>

#include "handles.h"

C10_DECLARE_int(caffe2_log_level);

struct ct_group_s {
  // Keeps the server alive that other ranks may still join through.
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<c10d::Backend> gloo;
  c10::intrusive_ptr<c10d::Backend> nccl;  // may be null

  c10d::Backend &backend_of(const at::Tensor &tensor) { return nccl && tensor.is_cuda() ? *nccl : *gloo; }
};

namespace {

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000));
}

// While a group is joined, libtorch logs pages about every attempt to connect.
class Silence {
 public:
  Silence() : before_(FLAGS_caffe2_log_level) { FLAGS_caffe2_log_level = 4; }
  ~Silence() { FLAGS_caffe2_log_level = before_; }

 private:
  int before_;
};

}  // namespace

int ct_group_join(const ct_group_place *place, ct_group *joined) {
  return guarded([&] {
    Silence silence;
    const auto join = milliseconds(place->join_seconds);
    c10d::TCPStoreOptions options;
    options.port = static_cast<uint16_t>(place->port);
    options.isServer = place->serves_store;
    options.numWorkers = place->ranks;
    options.multiTenant = true;  // A rank and the launcher may share the server's port.
    options.timeout = join;
    auto tcp = c10::make_intrusive<c10d::TCPStore>(std::string(place->host), options);
    // The launcher keeps its store across restarts; a prefix keeps the keys of the last start apart.
    auto store = c10::make_intrusive<c10d::PrefixStore>(std::string(place->prefix), tcp);
    auto group = std::make_unique<ct_group_s>();
    group->store = store;
    group->gloo = c10::make_intrusive<c10d::ProcessGroupGloo>(store, place->rank, place->ranks,
                                                              c10d::ProcessGroupGloo::Options::create_default(join));
    const auto operation = milliseconds(place->operation_seconds);
    group->gloo->setTimeout(operation);
    if (place->uses_cuda) group->nccl = nccl_backend(store, place->rank, place->ranks, operation);
    *joined = group.release();
  });
}

int ct_group_sum(ct_group group, ct_tensor tensor) {
  return guarded([&] {
    std::vector<at::Tensor> tensors{tensor->value};
    group->backend_of(tensor->value).allreduce(tensors)->wait();
  });
}

int ct_group_gather(ct_group group, ct_tensor part, ct_tensor all) {
  return guarded([&] {
    // Views without dimensions of size `ranks`, which gloo's shape check does not expect.
    auto flat = all->value.view({-1});
    auto input = part->value.view({-1});
    group->backend_of(input)._allgather_base(flat, input)->wait();
  });
}

int ct_group_broadcast(ct_group group, ct_tensor tensor) {
  return guarded([&] {
    std::vector<at::Tensor> tensors{tensor->value};
    group->backend_of(tensor->value).broadcast(tensors)->wait();
  });
}

int ct_group_barrier(ct_group group) {
  return guarded([&] { group->gloo->barrier()->wait(); });
}

void ct_group_free(ct_group group) { delete group; }
