// Kernels are compiled once per instruction set, in a namespace of its name; `best_...` picks this processor's.
#pragma once

enum class InstructionSet { baseline, avx2, avx512, sve256 };

// libtorch's choice, which ATEN_CPU_CAPABILITY overrides.
InstructionSet instruction_set();

#define DDN_DECLARE_IN(isa, Type, name) \
  namespace isa {                       \
  extern const Type name;               \
  }

// Declares a table of kernels in each namespace, and best_NAME(). CMakeLists.txt compiles the same sets.
#if defined(__x86_64__)
#define DDN_DECLARE_KERNELS(Type, name)                                   \
  DDN_DECLARE_IN(baseline, Type, name)                                    \
  DDN_DECLARE_IN(avx2, Type, name)                                        \
  DDN_DECLARE_IN(avx512, Type, name)                                      \
  inline const Type &best_##name() {                                      \
    if (instruction_set() == InstructionSet::avx512) return avx512::name; \
    if (instruction_set() == InstructionSet::avx2) return avx2::name;     \
    return baseline::name;                                                \
  }
#elif defined(__aarch64__) && defined(__linux__)
#define DDN_DECLARE_KERNELS(Type, name)                                                            \
  DDN_DECLARE_IN(baseline, Type, name)                                                             \
  DDN_DECLARE_IN(sve256, Type, name)                                                               \
  inline const Type &best_##name() {                                                               \
    return instruction_set() == InstructionSet::sve256 ? sve256::name : baseline::name;            \
  }
#else
#define DDN_DECLARE_KERNELS(Type, name) \
  DDN_DECLARE_IN(baseline, Type, name)  \
  inline const Type &best_##name() { return baseline::name; }
#endif
