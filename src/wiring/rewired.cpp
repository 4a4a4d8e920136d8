// The local mask with random shortcuts: Watts & Strogatz, Nature 393 (1998), for directed synapses.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/shared/choose.hpp"
#include "lmrnn/error.hpp"
#include "wiring/makers.hpp"

namespace lmrnn {
namespace {

using Index = std::uint32_t;

/// Replaces some sources of `target` by units that were not among them and are not `target`.
/// `is_taken` is all false before and after the call.
void rewire_row(std::span<Index> row, std::span<const std::size_t> replaced, Index target,
                const Key& key, std::vector<bool>& is_taken) {
  const auto n_units = static_cast<std::uint32_t>(is_taken.size());
  std::vector<Index> taken(row.begin(), row.end());
  taken.push_back(target);
  if (replaced.size() + taken.size() > is_taken.size() + (std::ranges::count(row, target) > 0))
    throw UsageError(fmt::format(
        "wiring.rewire: unit {} has {} of {} units as its sources, so {} cannot be replaced; "
        "choose a smaller wiring.radius or wiring.rewire",
        target, row.size(), n_units, replaced.size()));
  for (const Index unit : taken) is_taken[unit] = true;
  std::uint32_t index = 0;
  for (const std::size_t position : replaced) {
    Index source;
    do source = integer(key, index++, n_units);
    while (is_taken[source]);
    row[position] = source;
    is_taken[source] = true;
    taken.push_back(source);
  }
  for (const Index unit : taken) is_taken[unit] = false;
  std::ranges::sort(row);
}

}  // namespace

Mask make_rewired(const WiringConfig& config, Seed seed) {
  const Mask local = make_local(config, seed);
  std::vector<Index> sources(local.sources().begin(), local.sources().end());
  std::vector<Index> synapses;  // without autapses
  for (std::size_t target = 0; target < local.n_targets(); ++target)
    for (Index k = local.row_offsets()[target]; k < local.row_offsets()[target + 1]; ++k)
      if (sources[k] != target) synapses.push_back(k);

  const auto n_rewired =
      static_cast<std::size_t>(std::llround(config.rewire * static_cast<double>(synapses.size())));
  const auto chosen =
      choose(wiring_key(seed, WiringDraw::rewired_synapses), synapses.size(), n_rewired);

  std::vector<bool> is_taken(local.n_sources(), false);
  auto next = chosen.begin();
  for (std::size_t target = 0; target < local.n_targets(); ++target) {
    const std::size_t begin = local.row_offsets()[target], end = local.row_offsets()[target + 1];
    std::vector<std::size_t> replaced;  // positions within the row
    for (; next != chosen.end() && synapses[*next] < end; ++next)
      replaced.push_back(synapses[*next] - begin);
    rewire_row(std::span(sources).subspan(begin, end - begin), replaced, static_cast<Index>(target),
               wiring_key(seed, WiringDraw::rewired_sources, target), is_taken);
  }
  return {local.n_targets(),
          local.n_sources(),
          {local.row_offsets().begin(), local.row_offsets().end()},
          std::move(sources)};
}

}  // namespace lmrnn
