// Every level of a network allocates and frees the same sizes again. glibc returns large blocks to the system and gets
// them back page by page, each cleared again, which takes a tenth of the time of a step; mimalloc keeps them.
#include "tensor_memory.h"

#ifdef DDN_MIMALLOC
#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>
#include <mimalloc.h>

#include <cstdint>
#include <cstring>

namespace {

constexpr size_t alignment = 64;  // libtorch's: vectors and cache lines

class TensorMemory final : public c10::Allocator {
 public:
  TensorMemory() {
    mi_option_set_default(mi_option_large_os_pages, 1);  // where the system has reserved some
    // Milliseconds before unused pages are returned to the system.
#if MI_MALLOC_VERSION >= 210
    mi_option_set_default(mi_option_purge_delay, 10'000);
#elif MI_MALLOC_VERSION >= 200
    mi_option_set_default(mi_option_decommit_delay, 10'000);
#endif
  }

  c10::DataPtr allocate(size_t bytes) override {
    void *block = bytes == 0 ? nullptr : allocate_aligned(bytes);
    TORCH_CHECK_WITH(OutOfMemoryError, block || bytes == 0, "no memory for a tensor of ", bytes, " bytes");
    return {block, block, &release, c10::Device(c10::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void *to, const void *from, size_t bytes) const override { std::memcpy(to, from, bytes); }

 private:
  // An aligned request takes mimalloc's next size class, an eighth larger, to have room to move the block. Large blocks
  // are aligned without it.
  static void *allocate_aligned(size_t bytes) {
    void *block = bytes % alignment == 0 ? mi_malloc(bytes) : nullptr;
    if (reinterpret_cast<uintptr_t>(block) % alignment == 0 && block) return block;
    mi_free(block);
    return mi_malloc_aligned(bytes, alignment);
  }

  // oneDNN frees its blocks by the current allocator, also those that an earlier one allocated.
  static void release(void *block) {
    if (mi_is_in_heap_region(block)) return mi_free(block);
    c10::free_cpu(block);
  }
};

}  // namespace

void keep_tensor_memory() {
  // Never destroyed: threads may still hold tensors when the program ends.
  [[maybe_unused]] static const bool is_set = (c10::SetCPUAllocator(new TensorMemory, 1), true);
}
#else
void keep_tensor_memory() {}
#endif
