// libtorch behind the C interface of ctorch.h, which documents the functions.
#include "ctorch.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/version.h>

#include <cstring>
#include <string>
#include <vector>

#include "handles.h"
#include "tensor_memory.h"

struct ct_operator_s {
  c10::OperatorHandle handle;
};
struct ct_generator_s {
  at::Generator value;
};

namespace {

template <typename Element>
const Element *elements(const ct_value &value) {
  return static_cast<const Element *>(value.pointer);
}

c10::IValue unpack(const ct_value &value) {
  switch (value.tag) {
    case CT_NONE:
      return c10::IValue();
    case CT_TENSOR:
      return c10::IValue(value.tensor->value);
    case CT_INT:
      return c10::IValue(value.i);
    case CT_DOUBLE:
      return c10::IValue(value.d);
    case CT_BOOL:
      return c10::IValue(value.i != 0);
    case CT_STRING:
      return c10::IValue(std::string(elements<char>(value), value.count));
    case CT_INTS:
      return c10::IValue(std::vector<int64_t>(elements<int64_t>(value), elements<int64_t>(value) + value.count));
    case CT_TENSORS: {
      c10::List<at::Tensor> list;
      list.reserve(value.count);
      for (int64_t n = 0; n < value.count; ++n) list.push_back(elements<ct_tensor>(value)[n]->value);
      return c10::IValue(std::move(list));
    }
    case CT_OPTIONAL_TENSORS: {
      c10::List<std::optional<at::Tensor>> list;
      list.reserve(value.count);
      for (int64_t n = 0; n < value.count; ++n) {
        ct_tensor tensor = elements<ct_tensor>(value)[n];
        list.push_back(tensor ? std::optional<at::Tensor>(tensor->value) : std::nullopt);
      }
      return c10::IValue(std::move(list));
    }
    case CT_DEVICE:
      return c10::IValue(device_of(value.i, value.count));
    case CT_GENERATOR:
      return c10::IValue(value.generator->value);
  }
  TORCH_CHECK(false, "unknown argument tag ", static_cast<int>(value.tag));
}

ct_value pack(const c10::IValue &value) {
  ct_value packed{};
  if (value.isTensor()) {
    packed.tag = CT_TENSOR;
    packed.tensor = own(value.toTensor());
  } else if (value.isInt()) {
    packed.tag = CT_INT;
    packed.i = value.toInt();
  } else if (value.isDouble()) {
    packed.tag = CT_DOUBLE;
    packed.d = value.toDouble();
  } else if (value.isBool()) {
    packed.tag = CT_BOOL;
    packed.i = value.toBool();
  } else if (value.isTensorList()) {
    auto list = value.toTensorList();
    auto *tensors = new ct_tensor[list.size()];
    for (size_t n = 0; n < list.size(); ++n) tensors[n] = own(list.get(n));
    packed.tag = CT_TENSORS;
    packed.pointer = tensors;
    packed.count = static_cast<int64_t>(list.size());
  } else {
    TORCH_CHECK(value.isNone(), "the operator returns a ", value.tagKind(), ", which ct_value cannot hold");
    packed.tag = CT_NONE;
  }
  return packed;
}

}  // namespace

std::string &error_message() {
  static thread_local std::string message;
  return message;
}

c10::Device device_of(int64_t type, int64_t index) {
  TORCH_CHECK(type == 0 || type == 1, "device type ", type, " is neither CPU (0) nor CUDA (1)");
  return c10::Device(type == 1 ? c10::kCUDA : c10::kCPU, static_cast<c10::DeviceIndex>(index));
}

extern "C" {

const char *ct_error_message(void) { return error_message().c_str(); }

const char *ct_version(void) { return TORCH_VERSION; }

const char *ct_cpu_capability(void) {
  static const std::string capability = at::get_cpu_capability();
  return capability.c_str();
}

int ct_cuda_version(int *version) {
  return guarded([&] {
    // libtorch_cuda registers its device guard when it is loaded, with or without a driver.
    const bool has_cuda = c10::impl::hasDeviceGuardImpl(c10::kCUDA);
    *version = has_cuda ? static_cast<int>(at::detail::getCUDAHooks().versionCUDART()) : 0;
  });
}

int ct_tune_process(void) {
  return guarded([] {
    keep_tensor_memory();
    at::globalContext().setAllowTF32CuDNN(false);
  });
}

int ct_operator_find(const char *name, const char *overload, ct_operator *found) {
  return guarded([&] {
    *found = new ct_operator_s{c10::Dispatcher::singleton().findSchemaOrThrow(name, overload)};
  });
}

int ct_operator_call(ct_operator op, const ct_value *arguments, size_t argument_count, ct_value *results,
                     size_t *result_count) {
  return guarded([&] {
    const auto &schema = op->handle.schema();
    const auto &parameters = schema.arguments();
    TORCH_CHECK(argument_count <= parameters.size(), schema.name(), " takes ", parameters.size(), " arguments, not ",
                argument_count);
    TORCH_CHECK(schema.returns().size() <= *result_count, schema.name(), " returns ", schema.returns().size(),
                " values, more than ", *result_count);
    torch::jit::Stack stack;
    stack.reserve(parameters.size());
    for (size_t n = 0; n < argument_count; ++n) stack.push_back(unpack(arguments[n]));
    for (size_t n = argument_count; n < parameters.size(); ++n) {
      const auto &fallback = parameters[n].default_value();
      TORCH_CHECK(fallback.has_value(), schema.name(), " needs its argument '", parameters[n].name(), "'");
      stack.push_back(*fallback);
    }
    op->handle.callBoxed(stack);
    for (size_t n = 0; n < stack.size(); ++n) results[n] = pack(stack[n]);
    *result_count = stack.size();
  });
}

int ct_tensor_from_bytes(const void *bytes, size_t byte_count, const int64_t *shape, size_t dimensions,
                         int scalar_type, ct_tensor *made) {
  return guarded([&] {
    auto tensor = at::empty(at::IntArrayRef(shape, dimensions),
                            at::TensorOptions().dtype(static_cast<at::ScalarType>(scalar_type)));
    TORCH_CHECK(tensor.nbytes() == byte_count, "a tensor of ", tensor.nbytes(), " bytes cannot be made from ",
                byte_count);
    if (byte_count > 0) std::memcpy(tensor.data_ptr(), bytes, byte_count);
    *made = own(std::move(tensor));
  });
}

int ct_tensor_copy_bytes(ct_tensor tensor, void *bytes, size_t byte_count) {
  return guarded([&] {
    auto host = tensor->value.detach().to(at::kCPU).contiguous();
    TORCH_CHECK(host.nbytes() == byte_count, "a tensor of ", host.nbytes(), " bytes does not fit ", byte_count);
    if (byte_count > 0) std::memcpy(bytes, host.data_ptr(), byte_count);
  });
}

int ct_tensor_shape(ct_tensor tensor, int64_t *shape, size_t *dimensions) {
  return guarded([&] {
    auto sizes = tensor->value.sizes();
    TORCH_CHECK(sizes.size() <= *dimensions, "a tensor of ", sizes.size(), " dimensions is more than ", *dimensions);
    std::copy(sizes.begin(), sizes.end(), shape);
    *dimensions = sizes.size();
  });
}

int ct_tensor_kind(ct_tensor tensor, int *scalar_type, int *device_type, int *device_index) {
  return guarded([&] {
    *scalar_type = static_cast<int>(tensor->value.scalar_type());
    *device_type = tensor->value.device().is_cuda() ? 1 : 0;
    *device_index = tensor->value.device().index();
  });
}

void ct_tensor_free(ct_tensor tensor) { delete tensor; }

void ct_tensors_free(const void *tensors) { delete[] static_cast<const ct_tensor *>(tensors); }

int ct_set_requires_grad(ct_tensor tensor, bool requires_grad) {
  return guarded([&] { tensor->value.requires_grad_(requires_grad); });
}

int ct_requires_grad(ct_tensor tensor, bool *requires_grad) {
  return guarded([&] { *requires_grad = tensor->value.requires_grad(); });
}

int ct_backward(ct_tensor root, ct_tensor gradient_or_null) {
  return guarded([&] {
    torch::autograd::variable_list gradients;
    if (gradient_or_null) gradients.push_back(gradient_or_null->value);
    torch::autograd::backward({root->value}, gradients);
  });
}

int ct_gradient(ct_tensor leaf, ct_tensor *gradient_or_null) {
  return guarded([&] {
    const auto &gradient = leaf->value.grad();
    *gradient_or_null = gradient.defined() ? own(gradient) : nullptr;
  });
}

int ct_set_gradient(ct_tensor leaf, ct_tensor gradient_or_null) {
  return guarded([&] { leaf->value.mutable_grad() = gradient_or_null ? gradient_or_null->value : at::Tensor(); });
}

bool ct_grad_enabled(void) { return at::GradMode::is_enabled(); }

void ct_set_grad_enabled(bool enabled) { at::GradMode::set_enabled(enabled); }

int ct_set_autocast(int device_type, bool enabled, int scalar_type) {
  return guarded([&] {
    auto type = device_of(device_type, 0).type();
    if (enabled) at::autocast::set_autocast_dtype(type, static_cast<at::ScalarType>(scalar_type));
    at::autocast::set_autocast_enabled(type, enabled);
  });
}

void ct_clear_autocast_cache(void) { at::autocast::clear_cache(); }

int ct_autocast(int device_type, bool *enabled, int *scalar_type) {
  return guarded([&] {
    auto type = device_of(device_type, 0).type();
    *enabled = at::autocast::is_autocast_enabled(type);
    *scalar_type = static_cast<int>(at::autocast::get_autocast_dtype(type));
  });
}

int ct_generator_make(int device_type, int device_index, uint64_t seed, ct_generator *made) {
  return guarded([&] {
    auto device = device_of(device_type, device_index);
    auto generator = at::globalContext().defaultGenerator(device).clone();
    generator.set_current_seed(seed);
    *made = new ct_generator_s{std::move(generator)};
  });
}

int ct_generator_state(ct_generator generator, ct_tensor *state) {
  return guarded([&] { *state = own(generator->value.get_state()); });
}

int ct_generator_set_state(ct_generator generator, ct_tensor state) {
  return guarded([&] { generator->value.set_state(state->value); });
}

void ct_generator_free(ct_generator generator) { delete generator; }

int ct_cuda_device_count(int *count) {
  return guarded([&] { *count = at::hasCUDA() ? static_cast<int>(at::detail::getCUDAHooks().deviceCount()) : 0; });
}

int ct_cuda_peak_memory(int device_index, bool resets, int64_t *bytes) {
  return guarded([&] {
    at::DeviceAllocator *allocator = at::getDeviceAllocator(at::kCUDA);
    const auto index = static_cast<c10::DeviceIndex>(device_index);
    if (resets) allocator->resetPeakStats(index);
    *bytes = allocator->getDeviceStats(index).allocated_bytes[0].peak;  // 0: all pools
  });
}

int ct_thread_count(void) { return at::get_num_threads(); }

int ct_set_thread_count(int count) { return guarded([&] { at::set_num_threads(count); }); }

}  // extern "C"
