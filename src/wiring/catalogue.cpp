#include <fmt/format.h>

#include <algorithm>

#include "lmrnn/error.hpp"
#include "lmrnn/seed.hpp"
#include "lmrnn/wiring.hpp"
#include "wiring/makers.hpp"

namespace lmrnn {
namespace {

#define LMRNN_ENTRY(name, meaning, is_random) \
  WiringEntry{WiringKind::name, meaning, is_random, make_##name},
constexpr WiringEntry catalogue[] = {LMRNN_WIRINGS(LMRNN_ENTRY)};
#undef LMRNN_ENTRY

}  // namespace

std::span<const WiringEntry> wirings() noexcept {
  return catalogue;
}

Mask make_mask(const WiringConfig& config, Seed run_seed) {
  check_unit_types(config);  // also checks all ranges
  check_measured(config);
  check_areas(config);
  const auto entry = std::ranges::find(catalogue, config.kind, &WiringEntry::kind);
  if (entry == std::end(catalogue))
    throw UsageError(fmt::format("wiring.kind: number {} is not in the catalogue of wirings",
                                 static_cast<int>(config.kind)));
  const Seed seed = config.seed ? seed_from("wiring.seed", *config.seed) : run_seed;
  if (!config.areas || config.kind == WiringKind::file) return entry->make(config, seed);
  const bool by_types = config.between_excitatory.value_or(false);
  return make_areas(config, *entry, seed,
                    by_types ? excitatory_units(config, run_seed) : std::vector<std::uint8_t>());
}

bool depends_on_seed(const WiringConfig& config) {
  const auto entry = std::ranges::find(catalogue, config.kind, &WiringEntry::kind);
  return (entry != std::end(catalogue) && entry->is_random) ||
         (config.has_pair_radii() && is_placed_at_random(config)) || draws_between(config);
}

}  // namespace lmrnn
