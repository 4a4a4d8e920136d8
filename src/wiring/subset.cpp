// Subsets of the synapses of a mask: those that are trained, those with given initial weights.
#include <fmt/core.h>

#include <algorithm>
#include <iterator>

#include "lmrnn/error.hpp"
#include "lmrnn/wiring.hpp"
#include "wiring/makers.hpp"

namespace lmrnn {
namespace {

WiringKind kind_of(SubsetKind kind) {
  switch (kind) {
    case SubsetKind::local:
      return WiringKind::local;
    case SubsetKind::autapse:
      return WiringKind::autapse;
    case SubsetKind::random:
      return WiringKind::random;
    case SubsetKind::blocks:
      return WiringKind::blocks;
    case SubsetKind::file:
      return WiringKind::file;
    case SubsetKind::all:
    case SubsetKind::none:
    case SubsetKind::within:
    case SubsetKind::between:
      break;
  }
  return WiringKind::dense;
}

/// The base configuration of another wiring on the same sheet: [wiring] without everything about
/// its own synapses and units.
WiringConfig plain(const WiringConfig& wiring) {
  WiringConfig other = wiring;
  // Subsets are sets of places, so the types of units do not matter.
  other.excitatory.reset();
  other.excitatory_placement.reset();
  other.excitatory_path.reset();
  other.radius_ee = other.radius_ei = other.radius_ie = other.radius_ii = std::nullopt;
  other.types_path.reset();
  other.weights_path.reset();
  other.weights_scale.reset();
  other.gains.reset();
  other.projections.reset();
  other.between_density.reset();
  other.between_excitatory.reset();
  other.plastic = other.initial = {};
  return other;
}

/// Its synapses are within areas, with the same radius in all of them; a file defines them itself.
void make_areas_alike(WiringConfig& other) {
  for (AreaConfig& area : *other.areas) area.radius.reset();
  if (other.kind != WiringKind::file) other.between_density = 0;
}

Mask common(const Mask& a, const Mask& b) {
  std::vector<std::uint32_t> offsets{0}, sources;
  for (std::size_t i = 0; i < a.n_targets(); ++i) {
    std::ranges::set_intersection(a.sources_of(i), b.sources_of(i), std::back_inserter(sources));
    offsets.push_back(static_cast<std::uint32_t>(sources.size()));
  }
  return {a.n_targets(), a.n_sources(), std::move(offsets), std::move(sources)};
}

}  // namespace

Mask make_subset(const Mask& mask, const WiringConfig& wiring, const SubsetConfig& subset,
                 std::string_view key, Seed run_seed) {
  if (subset.kind == SubsetKind::all) return mask;
  if (subset.kind == SubsetKind::none) return {mask.n_targets(), mask.n_sources(), {}};
  WiringConfig other = plain(wiring);
  other.kind = kind_of(subset.kind);
  if (other.areas) make_areas_alike(other);
  other.radius = subset.radius;
  if (subset.kind == SubsetKind::autapse || subset.kind == SubsetKind::file) other.autapses = true;
  other.block_units = subset.block_units;
  other.path = subset.path;
  other.dataset = subset.dataset;
  if (subset.seed) other.seed = subset.seed;
  const bool by_area = subset.kind == SubsetKind::within || subset.kind == SubsetKind::between;
  if (by_area) check_areas(wiring);
  const Mask named =
      by_area ? within_or_between(mask, wiring.sheet(), subset.kind == SubsetKind::within)
              : make_mask(other, run_seed);
  if (named.n_targets() != mask.n_targets())
    throw UsageError(
        fmt::format("{}: its mask has {} units, [wiring] has {}; use one for the same units", key,
                    named.n_targets(), mask.n_targets()));
  Mask both = common(mask, named);
  if (both.n_synapses() == 0)
    throw UsageError(
        fmt::format("{}.kind = \"{}\": none of its synapses exist in [wiring] (kind = \"{}\"); "
                    "name synapses that exist, or use \"none\"",
                    key, to_name(subset.kind), to_name(wiring.kind)));
  return both;
}

}  // namespace lmrnn
