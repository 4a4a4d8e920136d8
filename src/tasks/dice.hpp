// The random numbers of one trial.
#pragma once

#include <array>
#include <cstdint>

#include "lmrnn/random.hpp"

namespace lmrnn {

/// What a random word of a trial decides. A seed's results depend on these values: never renumber.
enum class Die : std::uint32_t {
  modality = 0,
  direction = 1,         ///< reach: the direction; decision: the first; match: the sample
  second_direction = 2,  ///< decision: the second; match: the test
  evidence = 3,          ///< decision: strengths in both modalities; match: match or not
  duration = 4,          ///< and the following, one per Period
  coin = 9,              ///< decision: the target of a tie
};

/// Random words of trial `trial` at the place that `key` names. Each trial has four Philox blocks,
/// computed when they are first needed.
class Dice {
 public:
  Dice(const Key& key, std::uint32_t trial) noexcept : key_(key), first_block_(4 * trial) {}

  /// Uniform on [0, 1), 32 random bits.
  double unit(Die die, std::uint32_t offset = 0) noexcept {
    return word(static_cast<std::uint32_t>(die) + offset) * 0x1p-32;
  }
  /// Uniform on {0, ..., n - 1} (bias below n / 2^32).
  std::int32_t integer(Die die, std::int32_t n) noexcept {
    const std::uint64_t bits = word(static_cast<std::uint32_t>(die));
    return static_cast<std::int32_t>((bits * static_cast<std::uint64_t>(n)) >> 32);
  }

 private:
  std::uint32_t word(std::uint32_t number) noexcept {
    const std::uint32_t block = number / 4;
    if (!known_[block]) {
      blocks_[block] = random_bits(key_, first_block_ + block);
      known_[block] = true;
    }
    return blocks_[block][number % 4];
  }

  Key key_;
  std::uint32_t first_block_;
  std::array<bool, 4> known_{};
  std::array<std::array<std::uint32_t, 4>, 4> blocks_;
};

}  // namespace lmrnn
