#include <fmt/format.h>

#include <algorithm>

#include "lmrnn/error.hpp"
#include "lmrnn/seed.hpp"
#include "lmrnn/wiring.hpp"
#include "wiring/makers.hpp"

namespace lmrnn {
namespace {

constexpr WiringEntry catalogue[] = {
    {WiringKind::local, "a synapse wherever the distance on the sheet is at most radius", false,
     make_local},
    {WiringKind::autapse, "every unit connects to itself and to no other", false, make_autapse},
    {WiringKind::dense, "all pairs", false, make_dense},
    {WiringKind::random,
     "the local mask, shuffled; autapses, degrees and reciprocal pairs are kept, places are not",
     true, make_random},
    {WiringKind::blocks, "dense groups of block_units units, not connected to one another", false,
     make_blocks},
    {WiringKind::rewired, "the local mask; the share rewire of its synapses has a random source",
     true, make_rewired},
    {WiringKind::exponential, "probability falls with distance over length; expected density given",
     true, make_exponential},
    {WiringKind::file, "mask or connectome from npz, npy, safetensors or a CSV list of edges",
     false, make_from_file},
};

}  // namespace

std::span<const WiringEntry> wirings() noexcept {
  return catalogue;
}

Mask make_mask(const WiringConfig& config, Seed run_seed) {
  check_unit_types(config);  // and all ranges
  const auto entry = std::ranges::find(catalogue, config.kind, &WiringEntry::kind);
  if (entry == std::end(catalogue))
    throw UsageError(fmt::format("wiring.kind: number {} is not in the catalogue of wirings",
                                 static_cast<int>(config.kind)));
  return entry->make(config, config.seed ? seed_from("wiring.seed", *config.seed) : run_seed);
}

bool depends_on_seed(const WiringConfig& config) {
  const auto entry = std::ranges::find(catalogue, config.kind, &WiringEntry::kind);
  return (entry != std::end(catalogue) && entry->is_random) ||
         (config.has_pair_radii() && is_placed_at_random(config));
}

}  // namespace lmrnn
