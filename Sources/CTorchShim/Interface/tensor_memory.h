// The allocator of CPU tensors.
#pragma once

// Makes mimalloc, where CMake has found it, the process's allocator of CPU tensors; otherwise does nothing. May be
// called again. Tensors that exist are freed by the allocator that they came from.
void keep_tensor_memory();
