// What identifies a run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lmrnn/run_config.hpp"

namespace lmrnn {

/// 16 hexadecimal digits.
std::string hash_text(std::string_view text);

/// One line per key that differs from its default, sorted. An input file is listed by its content:
/// throws UsageError if it cannot be read.
std::string canonical_text(const RunConfig& config);

/// Hash of a run that is not pruned from another. A run that keeps its early weights for pruned
/// runs has a hash of its own, although its numbers are the same.
std::string first_run_hash(const RunConfig& config, std::optional<std::int64_t> keep_weights_at);

}  // namespace lmrnn
