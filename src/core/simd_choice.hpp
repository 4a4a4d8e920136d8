// The SIMD target that the calling thread's kernels use. It is kept here, below the kernels,
// because the thread pool passes it from its caller to its workers.
#pragma once

#include <cstdint>

namespace lmrnn {

/// The number of a target in kernels/dispatch.hpp; 0: the best of the machine. Every thread starts
/// with 0.
std::int64_t simd_of_thread() noexcept;
void set_simd_of_thread(std::int64_t target) noexcept;

}  // namespace lmrnn
