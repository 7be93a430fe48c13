#include "pulse.h"

#include <stdexcept>

#include "ctorch.h"

namespace {

thread_local ct_pulse current = nullptr;
thread_local void *current_context = nullptr;

}  // namespace

void ct_set_pulse(ct_pulse pulse, void *context) {
  current = pulse;
  current_context = context;
}

void pulse() {
  if (current && !current(current_context)) throw std::runtime_error("abandoned");
}
