// Keys of trials that belong to no row of a stream.
//
// Batches of a `restart` stream have the numbers 0 ... 2^30 - 1. The numbers above are reserved as
// follows, so that no two trials share random numbers.
#pragma once

#include <cstdint>

#include "lmrnn/random.hpp"

namespace lmrnn {

/// One more than the last batch of a stream.
inline constexpr std::uint32_t n_batches_most = 1u << 30;

/// Instead of a batch number, for rows of a `continue` stream: each is a single long row.
inline constexpr std::uint32_t endless_row = 1u << 30;

/// Trial `k` of the task with number `task_number` (Task::number) in a split, as used by
/// `draw_trials` and finite data sets.
inline Key numbered_trial(Seed seed, Split split, std::uint32_t task_number, std::uint32_t k,
                          RandomPurpose purpose = RandomPurpose::conditions) {
  return {seed, purpose, split, 0x80000000u | task_number, k};
}

/// The same key for another purpose.
inline Key with_purpose(Key key, RandomPurpose purpose) {
  key.purpose = purpose;
  return key;
}

}  // namespace lmrnn
