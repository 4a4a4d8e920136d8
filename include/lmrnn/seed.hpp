// The range of seeds and the message for invalid ones, in files, the command line, C++ and Python.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "lmrnn/random.hpp"

namespace lmrnn {

/// 2^63 - 1. TOML has signed 64-bit integers: a larger seed could not be saved with its run.
constexpr std::int64_t largest_seed = std::numeric_limits<std::int64_t>::max();

/// Throws UsageError: "NAME = GIVEN; a seed is a whole number from 0 to 9223372036854775807".
[[noreturn]] void refuse_seed(std::string_view name, std::string_view given);

/// `value` as a seed. `name` stands for it in messages. Throws UsageError if it is negative.
Seed seed_from(std::string_view name, std::int64_t value);

/// The seed in a text. Throws UsageError unless the text is a whole number in that range.
Seed seed_from(std::string_view name, std::string_view text);

}  // namespace lmrnn
