#include <fmt/format.h>

#include <algorithm>
#include <cmath>

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
    {WiringKind::file, "mask or connectome from HDF5, npz, npy or a CSV list of edges", false,
     make_from_file},
};

void require(bool possible, std::string_view key, auto value, std::string_view remedy) {
  if (!possible)
    throw UsageError(fmt::format("wiring.{} = {} is impossible; {}", key, value, remedy));
}

/// Configs that did not come through read_config have not been checked against their ranges.
void check(const WiringConfig& config) {
  require(config.rows >= 1 && config.rows <= 4096, "rows", config.rows, "give 1 to 4096");
  require(config.cols >= 1 && config.cols <= 4096, "cols", config.cols, "give 1 to 4096");
  require(config.radius >= 0, "radius", config.radius, "give 0 or more");
  require(config.rewire >= 0 && config.rewire <= 1, "rewire", config.rewire, "give 0 to 1");
  require(config.density >= 0 && config.density <= 1, "density", config.density, "give 0 to 1");
  require(config.length > 0 && std::isfinite(config.length), "length", config.length,
          "give more than 0");
  require(config.block_units >= 1, "block_units", config.block_units, "give 1 or more");
}

}  // namespace

std::span<const WiringEntry> wirings() noexcept {
  return catalogue;
}

Mask make_mask(const WiringConfig& config, Seed run_seed) {
  check(config);
  const auto entry = std::ranges::find(catalogue, config.kind, &WiringEntry::kind);
  require(entry != std::end(catalogue), "kind", static_cast<int>(config.kind),
          "name a wiring of the catalogue");
  return entry->make(config, config.seed ? seed_from("wiring.seed", *config.seed) : run_seed);
}

}  // namespace lmrnn
