// Which SIMD target the calling thread's kernels use. It is kept here, below the kernels, because
// the thread pool hands it from its caller to its workers.
#pragma once

#include <cstdint>

namespace lmrnn {

/// A target as kernels/dispatch.hpp numbers them; 0: the best of the machine. Every thread begins
/// with 0.
std::int64_t simd_of_thread() noexcept;
void set_simd_of_thread(std::int64_t target) noexcept;

}  // namespace lmrnn
