// Memory of tensors on the CPU, from mimalloc where CMake has found it.
//
// Every level of a network takes and returns the same sizes again. glibc gives large blocks back to the system and gets
// them back page by page, each cleared again, which took a tenth of the time of a step; mimalloc keeps them.
#ifdef DDN_MIMALLOC
#include <c10/core/CPUAllocator.h>
#include <mimalloc.h>

#include <cstdint>
#include <cstring>

namespace {

constexpr size_t alignment = 64;  // libtorch's own: vectors and cache lines

class TensorMemory final : public c10::Allocator {
 public:
  TensorMemory() {
    mi_option_set_default(mi_option_large_os_pages, 1);  // where the system has set some aside
      // Milliseconds before unused pages go back to the system.
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
  // Asked for alignment, mimalloc takes room to move the block, which makes a size that it has ready one of the next, an
  // eighth larger. Large blocks begin where they should without being asked.
  static void *allocate_aligned(size_t bytes) {
    void *block = bytes % alignment == 0 ? mi_malloc(bytes) : nullptr;
    if (reinterpret_cast<uintptr_t>(block) % alignment == 0 && block) return block;
    mi_free(block);
    return mi_malloc_aligned(bytes, alignment);
  }

  static void release(void *block) { mi_free(block); }
};

// Never destroyed: threads may still have tensors when the program ends.
[[maybe_unused]] const bool is_set = (c10::SetCPUAllocator(new TensorMemory, 1), true);

}  // namespace
#endif
