// Kernels are compiled once per instruction set, in a namespace of its name; `best_...` picks this processor's.
#pragma once

enum class InstructionSet { baseline, avx2, avx512 };

// libtorch's own choice, which ATEN_CPU_CAPABILITY overrides.
InstructionSet instruction_set();

// Declares a table of kernels, `const Type name`, in each namespace, and best_name().
#ifdef __x86_64__
#define DDN_DECLARE_KERNELS(Type, name)             \
  namespace baseline {                              \
  extern const Type name;                           \
  }                                                 \
  namespace avx2 {                                  \
  extern const Type name;                           \
  }                                                 \
  namespace avx512 {                                \
  extern const Type name;                           \
  }                                                 \
  inline const Type &best_##name() {                \
    switch (instruction_set()) {                    \
      case InstructionSet::avx512: return avx512::name; \
      case InstructionSet::avx2: return avx2::name; \
      default: return baseline::name;               \
    }                                               \
  }
#else
#define DDN_DECLARE_KERNELS(Type, name)                        \
  namespace baseline {                                         \
  extern const Type name;                                      \
  }                                                            \
  inline const Type &best_##name() { return baseline::name; }
#endif
