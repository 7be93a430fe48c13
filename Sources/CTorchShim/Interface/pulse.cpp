#include "pulse.h"

#include <stdexcept>
#include <utility>

#include "ctorch.h"

namespace {

thread_local ct_pulse current = nullptr;
thread_local void *current_context = nullptr;

}  // namespace

void ct_swap_pulse(ct_pulse *pulse, void **context) {
  std::swap(current, *pulse);
  std::swap(current_context, *context);
}

bool ct_call_pulse(void) { return !current || current(current_context); }

void pulse() {
  if (!ct_call_pulse()) throw std::runtime_error("abandoned");
}
