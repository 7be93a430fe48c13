// What the registered operators share.
#pragma once
#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <optional>

using at::Tensor;
using std::optional;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Calls an operator by name for the device of its tensors, without autograd and autocast. `function` is one of its
// implementations, which gives the signature.
template <auto function, typename... Arguments>
auto dispatch(const char *name, const Arguments &...arguments) {
  static const auto found = c10::Dispatcher::singleton().findSchemaOrThrow(name, "");
  at::AutoDispatchBelowADInplaceOrView without_autograd;
  c10::impl::ExcludeDispatchKeyGuard without_autocast(c10::autocast_dispatch_keyset);
  return found.template typed<std::remove_pointer_t<decltype(function)>>().call(arguments...);
}

// Whether the float32 kernels can read these tensors.
template <typename... Tensors>
bool are_cpu_floats(const Tensors &...tensors) {
  return ((tensors.is_cpu() && tensors.scalar_type() == at::kFloat) && ...);
}

// A float32 tensor's elements, for kernels; null for no tensor.
inline const float *floats(const Tensor &tensor) {
  return tensor.defined() ? tensor.const_data_ptr<float>() : nullptr;
}
inline float *mutable_floats(const Tensor &tensor) { return tensor.defined() ? tensor.data_ptr<float>() : nullptr; }

// Whether a gradient of these tensors may be asked for later.
template <typename... Tensors>
bool records(const Tensors &...tensors) {
  return at::GradMode::is_enabled() && (tensors.requires_grad() || ...);
}

// The autograd function where a gradient may be asked for; otherwise its `run`, which keeps nothing.
template <typename Function, typename... Arguments>
auto apply_or_run(bool records, const Arguments &...arguments) {
  return records ? Function::apply(arguments...) : Function::run(arguments...);
}

inline void check_first_derivative(const char *name) {
  TORCH_CHECK(!at::GradMode::is_enabled(), name, " has no second derivative: call backward() without create_graph");
}
