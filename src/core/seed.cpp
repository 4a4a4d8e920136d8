#include "lmrnn/seed.hpp"

#include <fmt/format.h>

#include "core/shared/text.hpp"
#include "lmrnn/error.hpp"

namespace lmrnn {

void refuse_seed(std::string_view name, std::string_view given) {
  throw UsageError(
      fmt::format("{} = {}; a seed is a whole number from 0 to {}", name, given, largest_seed));
}

Seed seed_from(std::string_view name, std::int64_t value) {
  if (value < 0) refuse_seed(name, fmt::format("{}", value));
  return {static_cast<std::uint64_t>(value)};
}

Seed seed_from(std::string_view name, std::string_view text) {
  const auto value = number_from<std::int64_t>(text);
  if (!value || *value < 0) refuse_seed(name, text);
  return {static_cast<std::uint64_t>(*value)};
}

}  // namespace lmrnn
