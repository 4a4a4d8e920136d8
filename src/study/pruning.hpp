// Pruning with rewinding: what the next round starts from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lmrnn/study.hpp"

namespace lmrnn {

/// The configuration that the run really gets: for a pruned one, with the mask and the weights that
/// are made from its parent's (and written, if they are not there yet).
RunConfig prepare(const Study& study, const PlannedRun& run);

/// The seed of the weights that a reinitialised ticket starts from, for a run of seed `seed`: they
/// have nothing to do with the initial weights of that run, nor with those of any run of the study.
Seed seed_of_fresh_weights(Seed seed);

/// Name of the file in a run directory that holds the weights after `keep_weights_at` steps.
constexpr const char* early_weights = "early.safetensors";

/// The weights to keep: of `weights`, the `n` with the largest magnitude (1), the others 0; of
/// equal ones the earlier. Throws UsageError if there are fewer.
std::vector<std::uint8_t> keep_largest(std::span<const float> weights, std::size_t n);

}  // namespace lmrnn
