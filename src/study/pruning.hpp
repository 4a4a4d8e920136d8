// Pruning with rewinding: what the next round starts from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lmrnn/study.hpp"

namespace lmrnn {

/// The configuration that the run really gets. A pruned run gets a mask and weights that are made
/// from its parent's (files of them are written if they do not exist yet).
RunConfig prepare(const Study& study, const PlannedRun& run);

/// The seed of the weights that a reinitialised ticket starts from, for a run of seed `seed`: they
/// are independent of the initial weights of that run, and of those of every run of the study.
Seed seed_of_fresh_weights(Seed seed);

/// Name of the file in a run directory that holds the weights after `keep_weights_at` steps.
constexpr const char* early_weights = "early.safetensors";

/// Keeps (1) the `n` of `weights` with the largest magnitude and drops (0) the others; among equal
/// ones, the earlier are kept. Throws UsageError if there are fewer than `n`.
std::vector<std::uint8_t> keep_largest(std::span<const float> weights, std::size_t n);

}  // namespace lmrnn
