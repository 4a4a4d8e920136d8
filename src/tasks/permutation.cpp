#include "tasks/permutation.hpp"

#include <bit>
#include <utility>

namespace lmrnn {

std::uint32_t permuted(const Key& key, std::uint32_t n, std::uint32_t i) noexcept {
  constexpr std::uint32_t n_rounds = 6;
  const int half_bits = n <= 4 ? 1 : (std::bit_width(n - 1) + 1) / 2;
  const std::uint32_t mask = (1u << half_bits) - 1;
  do {
    std::uint32_t left = i >> half_bits, right = i & mask;
    for (std::uint32_t round = 0; round < n_rounds; ++round) {
      const std::uint32_t mixed = left ^ (random_bits(key, round << 16 | right)[0] & mask);
      left = std::exchange(right, mixed);
    }
    i = left << half_bits | right;
  } while (i >= n);
  return i;
}

}  // namespace lmrnn
