// What identifies a run.
#pragma once

#include <string>
#include <string_view>

#include "lmrnn/run_config.hpp"

namespace lmrnn {

/// 16 hexadecimal digits.
std::string hash_text(std::string_view text);

/// A line per key that differs from its default, sorted.
std::string canonical_text(const RunConfig& config);

}  // namespace lmrnn
