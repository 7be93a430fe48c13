#include "instruction_sets.h"

#include <ATen/Version.h>

#include <string>

InstructionSet instruction_set() {
  static const InstructionSet set = [] {
    const std::string capability = at::get_cpu_capability();
    if (capability == "AVX512") return InstructionSet::avx512;
    return capability == "AVX2" ? InstructionSet::avx2 : InstructionSet::baseline;
  }();
  return set;
}
