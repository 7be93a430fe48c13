// What the files of the C interface share.
#pragma once

#include <ATen/ATen.h>

#include <exception>
#include <string>
#include <utility>

#include "ctorch.h"

struct ct_tensor_s {
  at::Tensor value;
};

inline ct_tensor own(at::Tensor value) { return new ct_tensor_s{std::move(value)}; }

c10::Device device_of(int64_t type, int64_t index);

// Of this thread's last failure.
std::string &error_message();

// Runs `body`; turns an exception into a message and status 1.
template <typename Body>
int guarded(Body body) {
  try {
    body();
    return 0;
  } catch (const c10::Error &error) {
    error_message() = error.what_without_backtrace();
  } catch (const std::exception &error) {
    error_message() = error.what();
  } catch (...) {
    error_message() = "unknown C++ exception";
  }
  return 1;
}
