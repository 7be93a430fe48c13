// TorchScript modules.
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "handles.h"

struct ct_script_s {
  torch::jit::Module module;
};

namespace {

// A failure inside TorchScript is a traceback, whose last line is the reason.
std::string reason(const std::string &traceback) {
  if (traceback.find("Traceback") == std::string::npos) return traceback;
  const auto end = traceback.find_last_not_of(" \n");
  const auto start = traceback.find_last_of('\n', end);
  return traceback.substr(start == std::string::npos ? 0 : start + 1, end - start);
}

}  // namespace

int ct_script_load(const char *path, ct_script *loaded) {
  return guarded([&] {
    auto module = torch::jit::load(path, c10::Device(c10::kCPU));
    TORCH_CHECK(module.find_method("forward"), "it has no forward()");
    module.eval();
    for (auto parameter : module.parameters()) parameter.requires_grad_(false);
    *loaded = new ct_script_s{std::move(module)};
  });
}

int ct_script_move(ct_script script, int device_type, int device_index) {
  return guarded([&] { script->module.to(device_of(device_type, device_index)); });
}

int ct_script_call(
    ct_script script, const ct_tensor *inputs, size_t count, const char *flag, ct_tensor *output) {
  return guarded([&] {
    std::vector<c10::IValue> arguments;
    for (size_t n = 0; n < count; ++n) arguments.emplace_back(inputs[n]->value);
    torch::jit::Kwargs flags;
    if (flag) flags.emplace(flag, true);
    at::NoGradGuard no_gradients;
    c10::IValue result;
    try {
      result = script->module.forward(std::move(arguments), flags);
    } catch (const c10::Error &error) {
      throw std::runtime_error(reason(error.what_without_backtrace()));
    } catch (const std::exception &error) {
      throw std::runtime_error(reason(error.what()));
    }
    TORCH_CHECK(result.isTensor(), "forward() returns a ", result.tagKind(), ", not a tensor");
    *output = own(result.toTensor());
  });
}

void ct_script_free(ct_script script) { delete script; }
