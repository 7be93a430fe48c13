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

bool ct_call_pulse(void) { return !current || current(current_context); }

void pulse() {
  if (!ct_call_pulse()) throw std::runtime_error("abandoned");
}
