// Loops whose parts run side by side on libtorch's threads.
#pragma once
#include <cstdint>
#include <functional>

// The number of parts that `count` iterations are divided into. Depends on `count` and the thread count only.
int64_t part_count(int64_t count);

// Runs body(first, last, part) for each part of 0..<count, in parallel.
void parallel_for(int64_t count, const std::function<void(int64_t, int64_t, int64_t)> &body);
