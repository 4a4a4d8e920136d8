// Random permutations that can be asked for one element at a time.
#pragma once

#include <cstdint>

#include "lmrnn/random.hpp"

namespace lmrnn {

/// Where `i` goes in the permutation of {0, ..., n - 1} that `key` names; 1 <= n <= 2^31. A Feistel
/// network over the next power of 4 (Luby & Rackoff 1988, with Philox for the round function),
/// repeated until the result is below n (cycle walking: Black & Rogaway 2002).
std::uint32_t permuted(const Key& key, std::uint32_t n, std::uint32_t i) noexcept;

}  // namespace lmrnn
