#include "instruction_sets.h"

#include <ATen/Version.h>

#include <string>

InstructionSet instruction_set() {
  static const InstructionSet set = [] {
    const std::string capability = at::get_cpu_capability();
    if (capability == "AVX512") return InstructionSet::avx512;
    if (capability == "AVX2") return InstructionSet::avx2;
    return capability == "SVE256" ? InstructionSet::sve256 : InstructionSet::baseline;
  }();
  return set;
}
