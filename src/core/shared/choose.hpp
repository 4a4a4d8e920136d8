// Drawing without replacement.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "lmrnn/random.hpp"

namespace lmrnn {

/// `n_chosen` <= n different numbers of 0 ... n - 1, every set equally likely, ascending.
std::vector<std::uint32_t> choose(const Key& key, std::size_t n, std::size_t n_chosen);

}  // namespace lmrnn
