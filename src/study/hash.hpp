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

/// A line per key that differs from its default, sorted. That of a file says what is in it: throws
/// UsageError if it cannot be read.
std::string canonical_text(const RunConfig& config);

/// The hash of a run that is not pruned from another. One that keeps its early weights for those
/// that are is not the same run, though its numbers are.
std::string first_run_hash(const RunConfig& config, std::optional<std::int64_t> keep_weights_at);

}  // namespace lmrnn
