// A C interface to libtorch: a few functions, because libtorch's dispatcher can call any operator by its schema name.
//
// A function that can fail returns 0 for success and 1 for failure; results go through pointers, and ct_error_message()
// is the reason of this thread's last failure. No C++ exception leaves this library.
#ifndef CTORCH_H
#define CTORCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

typedef struct ct_tensor_s *ct_tensor;        // owns one at::Tensor
typedef struct ct_operator_s *ct_operator;    // an operator; lives forever
typedef struct ct_generator_s *ct_generator;  // owns one at::Generator
typedef struct ct_script_s *ct_script;        // owns one torch::jit::Module
typedef struct ct_group_s *ct_group;          // owns one process's membership in a group

typedef enum {
  CT_NONE = 0,
  CT_TENSOR,        // .tensor
  CT_INT,           // .i
  CT_DOUBLE,        // .d
  CT_BOOL,          // .i
  CT_STRING,        // .pointer, .count bytes
  CT_INTS,          // .pointer to int64_t, .count
  CT_TENSORS,       // .pointer to ct_tensor, .count; as a result, freed with ct_tensors_free
  CT_OPTIONAL_TENSORS,  // the same; a null ct_tensor is None
  CT_DEVICE,        // .i: 0 CPU, 1 CUDA; .count: index, or -1
  CT_GENERATOR,     // .generator
} ct_tag;

// A tagged argument or result of an operator. Arguments are borrowed; the caller frees results.
typedef struct {
  ct_tag tag;
  int64_t i;
  double d;
  ct_tensor tensor;
  ct_generator generator;
  const void *pointer;
  int64_t count;
} ct_value;

// The message of the last failure on this thread; never null.
const char *ct_error_message(void);
// libtorch's version, such as "2.13.0".
const char *ct_version(void);
// The instruction set of libtorch's kernels and of this library's: "AVX512", "AVX2", "SVE256", "DEFAULT" and others.
const char *ct_cpu_capability(void);
// The CUDA version of libtorch's build, such as 13000 for 13.0; 0 for a build without CUDA.
int ct_cuda_version(int *version);

// Operators.
int ct_operator_find(const char *name, const char *overload, ct_operator *found);
// Arguments omitted at the end take the schema's defaults. *result_count is the capacity on entry.
int ct_operator_call(ct_operator op, const ct_value *arguments, size_t argument_count, ct_value *results,
                     size_t *result_count);

// Tensors. Shapes have `dimensions` entries; scalar types are c10::ScalarType's numbers.
int ct_tensor_from_bytes(const void *bytes, size_t byte_count, const int64_t *shape, size_t dimensions,
                         int scalar_type, ct_tensor *made);
int ct_tensor_copy_bytes(ct_tensor tensor, void *bytes, size_t byte_count);
int ct_tensor_shape(ct_tensor tensor, int64_t *shape, size_t *dimensions);  // *dimensions: capacity, then count
int ct_tensor_kind(ct_tensor tensor, int *scalar_type, int *device_type, int *device_index);
void ct_tensor_free(ct_tensor tensor);
void ct_tensors_free(const void *tensors);  // only the array of a CT_TENSORS result; its tensors are freed one by one

// Autograd. Grad mode and autocast belong to the calling thread.
int ct_set_requires_grad(ct_tensor tensor, bool requires_grad);
int ct_requires_grad(ct_tensor tensor, bool *requires_grad);
int ct_backward(ct_tensor root, ct_tensor gradient_or_null);
int ct_gradient(ct_tensor leaf, ct_tensor *gradient_or_null);
int ct_set_gradient(ct_tensor leaf, ct_tensor gradient_or_null);
bool ct_grad_enabled(void);
void ct_set_grad_enabled(bool enabled);
// Turns autocast to `scalar_type` on or off for a device type. Converted weights are cached until the cache is cleared.
int ct_set_autocast(int device_type, bool enabled, int scalar_type);
void ct_clear_autocast_cache(void);
int ct_autocast(int device_type, bool *enabled, int *scalar_type);

// Long work. `pulse` is called on this thread before every large operator of the networks, forward and backward; when
// it returns false, the operator fails. Null for none. Swapping sets a pulse and gives back the one before.
typedef bool (*ct_pulse)(void *context);
void ct_swap_pulse(ct_pulse *pulse, void **context);
bool ct_call_pulse(void);  // true without a pulse

// Random numbers.
int ct_generator_make(int device_type, int device_index, uint64_t seed, ct_generator *made);
int ct_generator_state(ct_generator generator, ct_tensor *state);
int ct_generator_set_state(ct_generator generator, ct_tensor state);
void ct_generator_free(ct_generator generator);

// TorchScript modules, in evaluation mode, whose forward() takes tensors and returns one; no gradients. They are loaded on
// the CPU. Loading and calling runs the file's code. A flag, or NULL, names a bool argument of forward() that is true.
int ct_script_load(const char *path, ct_script *loaded);
int ct_script_move(ct_script script, int device_type, int device_index);
int ct_script_call(
    ct_script script, const ct_tensor *inputs, size_t count, const char *flag, ct_tensor *output);
void ct_script_free(ct_script script);

// Process groups: operations that all ranks call in the same order, with tensors of the same sizes; unequal sizes end the
// process. Tensors in host memory go through gloo, those on CUDA devices through NCCL, or gloo where NCCL is not built in.
typedef struct {
  const char *host;  // of the store through which ranks find one another
  int port;
  bool serves_store;
  const char *prefix;  // of the store's keys; another one for every start of the same launcher
  int rank;
  int ranks;
  bool uses_cuda;
  double join_seconds;       // timeout of joining
  double operation_seconds;  // timeout of every operation after it
} ct_group_place;
int ct_group_join(const ct_group_place *place, ct_group *joined);
int ct_group_sum(ct_group group, ct_tensor tensor);                  // in place
int ct_group_gather(ct_group group, ct_tensor part, ct_tensor all);  // all: [ranks, ...part]
int ct_group_broadcast(ct_group group, ct_tensor tensor);            // of rank 0, in place
int ct_group_barrier(ct_group group);
void ct_group_free(ct_group group);  // waits for pending work

// The process. Tuning makes mimalloc the allocator of CPU tensors, where this library was built with it, and turns TF32
// off in cuDNN's convolutions; loading the library changes neither.
int ct_tune_process(void);

// Devices and threads.
int ct_cuda_device_count(int *count);
// The peak of the memory of the device's tensors; `resets` first makes their current memory the peak.
int ct_cuda_peak_memory(int device_index, bool resets, int64_t *bytes);
int ct_thread_count(void);
int ct_set_thread_count(int count);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif
#endif
