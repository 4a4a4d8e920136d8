// Several sheets in one network with synapses between them: areas of cortex, as in modular networks
// (Michaels et al., PNAS 117:32124, 2020; Kleinman, Chandrasekaran & Kao, NeurIPS 2021).
//
//   within an area:     the synapses that a sheet of its own would have, by wiring.kind
//   from one onto another: the share `density` of the pairs (target, source), drawn at random
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>

#include "core/shared/choose.hpp"
#include "lmrnn/error.hpp"
#include "wiring/makers.hpp"

namespace lmrnn {
namespace {

using Index = std::uint32_t;
using Pair = std::pair<Index, Index>;  // (target, source)

std::vector<std::string> names_of(const std::vector<AreaConfig>& areas) {
  std::vector<std::string> names;
  for (const AreaConfig& area : areas) names.push_back(area.name);
  return names;
}

void require_no_areas(const WiringConfig& config) {
  const auto refuse = [](bool given, std::string_view key) {
    if (given)
      throw UsageError(
          fmt::format("wiring.{} needs wiring.areas; list the areas, or leave it out", key));
  };
  refuse(config.projections.has_value(), "projections");
  refuse(config.between_density.has_value(), "between_density");
  refuse(config.between_excitatory.has_value(), "between_excitatory");
  refuse(config.between_length.has_value(), "between_length");
  for (const auto& [subset, key] :
       {std::pair(&config.plastic, "plastic.kind"), std::pair(&config.initial, "initial.kind")})
    refuse(subset->kind == SubsetKind::within || subset->kind == SubsetKind::between,
           fmt::format("{} = \"{}\"", key, to_name(subset->kind)));
}

void check_names(const std::vector<AreaConfig>& areas) {
  if (areas.empty())
    throw UsageError("wiring.areas = []; list at least one area, or leave it out for one sheet");
  std::vector<std::string> names = names_of(areas);
  for (const std::string& name : names) {
    const bool plain = std::ranges::all_of(
        name, [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; });
    if (name.empty() || !plain)
      throw UsageError(fmt::format(
          "wiring.areas: name = \"{}\"; give every area a name of letters, digits, _ and -", name));
  }
  std::ranges::sort(names);
  if (const auto twice = std::ranges::adjacent_find(names); twice != names.end())
    throw UsageError(fmt::format(
        "wiring.areas: two areas are named \"{}\"; give each a name of its own", *twice));
}

void check_projections(const WiringConfig& config) {
  if (!config.projections) return;
  const std::vector<std::string> names = names_of(*config.areas);
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const AreaProjectionConfig& p : *config.projections) {
    for (const auto& [key, name] : {std::pair("from", &p.from), std::pair("to", &p.to)})
      if (std::ranges::find(names, *name) == names.end())
        throw UsageError(fmt::format("wiring.projections: {} = \"{}\" is not one of \"{}\"{}", key,
                                     *name, fmt::join(names, "\", \""),
                                     did_you_mean(*name, names, "; name one of wiring.areas")));
    if (p.from == p.to)
      throw UsageError(fmt::format(
          "wiring.projections: \"{}\" onto itself; wiring.kind and the area's radius say which "
          "synapses are within an area, so leave it out",
          p.from));
    if (!p.density)
      throw UsageError(fmt::format(
          "wiring.projections: from \"{}\" to \"{}\" has no density; give the share of the pairs "
          "of units that have a synapse, e.g. density = 0.1",
          p.from, p.to));
    pairs.emplace_back(p.from, p.to);
  }
  std::ranges::sort(pairs);
  if (const auto twice = std::ranges::adjacent_find(pairs); twice != pairs.end())
    throw UsageError(fmt::format(
        "wiring.projections: from \"{}\" to \"{}\" is listed twice; leave one of them out",
        twice->first, twice->second));
}

void check_kind(const WiringConfig& config) {
  const bool has_radius = config.kind == WiringKind::local || config.kind == WiringKind::random ||
                          config.kind == WiringKind::rewired;
  for (const AreaConfig& area : *config.areas)
    if (area.radius && !has_radius)
      throw UsageError(fmt::format(
          "wiring.areas: radius = {} of \"{}\" does not go with wiring.kind = \"{}\", which has no "
          "radius; leave it out, or use \"local\", \"random\" or \"rewired\"",
          *area.radius, area.name, to_name(config.kind)));
  const bool says_between = config.between_density || config.projections;
  if (config.kind == WiringKind::file && (says_between || config.between_excitatory))
    throw UsageError(
        "wiring.kind = \"file\": the file says which synapses exist between areas, too; leave out "
        "wiring.between_density, projections and between_excitatory");
  if (config.kind != WiringKind::file && config.areas->size() > 1 && !says_between)
    throw UsageError(
        "wiring.areas does not say how densely the areas are connected; set "
        "wiring.between_density, e.g. to 0.1 (0: not at all), or list wiring.projections");
}

void check_others(const WiringConfig& config) {
  if (config.coordinates_path)
    throw UsageError(
        "wiring.coordinates_path does not go with wiring.areas, whose units lie on sheets of rows "
        "and columns; leave one of them out");
  if (config.has_pair_radii())
    throw UsageError(
        "wiring.radius_ee, radius_ei, radius_ie and radius_ii do not go with wiring.areas, each of "
        "which has one radius; leave them out");
  if (config.between_excitatory.value_or(false) && !config.has_unit_types())
    throw UsageError(
        "wiring.between_excitatory = true needs units of two types; set wiring.excitatory, e.g. to "
        "0.8, or leave it out");
}

double density_between(const WiringConfig& config, const std::string& from, const std::string& to) {
  if (config.projections)
    for (const AreaProjectionConfig& p : *config.projections)
      if (p.from == from && p.to == to) return p.density.value();
  return config.between_density.value_or(0);
}

/// [wiring] of one area only.
WiringConfig alone(const WiringConfig& config, const Area& area, const AreaConfig& own) {
  WiringConfig result = config;
  result.rows = area.rows;
  result.cols = area.cols;
  result.radius = own.radius.value_or(config.radius);
  result.areas.reset();
  result.projections.reset();
  result.between_density.reset();
  result.between_excitatory.reset();
  result.between_length.reset();
  result.plastic = result.initial = {};
  return result;
}

/// Each area has its own seed, so that areas of the same size have different random masks.
Seed seed_of_area(Seed seed, std::size_t area) {
  const auto bits = random_bits(wiring_key(seed, WiringDraw::area, area), 0);
  return {std::uint64_t{bits[0]} << 32 | bits[1]};
}

void add_within(const WiringConfig& config, const WiringEntry& entry, const Area& area,
                const AreaConfig& own, Seed seed, std::vector<Pair>& pairs) {
  Mask mask;
  try {
    mask = entry.make(alone(config, area, own), seed);
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("wiring.areas: \"{}\": {}", area.name, error.what()));
  }
  const auto first = static_cast<Index>(area.first);
  for (std::size_t target = 0; target < mask.n_targets(); ++target)
    for (const Index source : mask.sources_of(target))
      pairs.emplace_back(first + static_cast<Index>(target), first + source);
}

/// Units of an area; only the excitatory ones, if types are given.
std::vector<Index> units_of(const Area& area, std::span<const std::uint8_t> excitatory) {
  std::vector<Index> units;
  for (std::size_t unit = area.first; unit < area.first + area.n_units(); ++unit)
    if (excitatory.empty() || excitatory[unit] != 0) units.push_back(static_cast<Index>(unit));
  return units;
}

void add_between(const Area& from, const Area& to, double density,
                 std::span<const std::uint8_t> excitatory, const Key& key,
                 std::vector<Pair>& pairs) {
  const std::vector<Index> sources = units_of(from, excitatory);
  const std::size_t n_pairs = sources.size() * to.n_units();
  if (n_pairs == 0 || density == 0) return;
  if (n_pairs > std::numeric_limits<std::int32_t>::max())
    throw UsageError(
        fmt::format("wiring.areas: {} pairs of units from \"{}\" to \"{}\" are too "
                    "many to draw from; make the areas smaller",
                    n_pairs, from.name, to.name));
  const auto n_kept =
      static_cast<std::size_t>(std::llround(density * static_cast<double>(n_pairs)));
  if (n_kept == 0)
    throw UsageError(
        fmt::format("wiring.areas: density {} from \"{}\" to \"{}\" leaves none of {} pairs of "
                    "units; give at least {:.2g}, or 0 for no synapse",
                    density, from.name, to.name, n_pairs, 1 / static_cast<double>(n_pairs)));
  for (const Index k : choose(key, n_pairs, n_kept))
    pairs.emplace_back(static_cast<Index>(to.first + k / sources.size()),
                       sources[k % sources.size()]);
}

void require_fit(const Mask& mask, const Sheet& sheet) {
  if (mask.n_targets() != mask.n_sources() || mask.n_targets() != sheet.n_units())
    throw UsageError(fmt::format("a mask of {} x {} units does not fit areas of {} units",
                                 mask.n_targets(), mask.n_sources(), sheet.n_units()));
}

}  // namespace

Sheet WiringConfig::sheet() const {
  Sheet sheet{rows, cols, metric, boundary};
  if (!areas) return sheet;
  auto all = std::make_shared<std::vector<Area>>();
  std::size_t n = 0;
  for (const AreaConfig& area : *areas) {
    all->push_back({area.name, area.rows.value_or(rows), area.cols.value_or(cols), n});
    n += all->back().n_units();
  }
  sheet.rows = 1;
  sheet.cols = static_cast<std::int64_t>(n);
  sheet.areas = std::move(all);
  sheet.between_length = between_length;
  return sheet;
}

std::span<const Area> Sheet::all_areas() const noexcept {
  return areas ? std::span<const Area>(*areas) : std::span<const Area>();
}

std::size_t Sheet::area_of(std::size_t unit) const noexcept {
  std::size_t area = 0;
  while (areas && area + 1 < areas->size() && (*areas)[area + 1].first <= unit) ++area;
  return area;
}

Sheet Sheet::of_area(std::size_t area) const {
  return {all_areas()[area].rows, all_areas()[area].cols, metric, boundary};
}

double Sheet::wire_length(std::size_t target, std::size_t source) const noexcept {
  constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
  return areas && area_of(target) != area_of(source) ? between_length.value_or(unknown)
                                                     : distance(target, source);
}

void check_areas(const WiringConfig& config) {
  if (!config.areas) return require_no_areas(config);
  check_names(*config.areas);
  check_projections(config);
  check_kind(config);
  check_others(config);
}

bool draws_between(const WiringConfig& config) {
  if (!config.areas || config.kind == WiringKind::file) return false;
  const bool by_types = config.between_excitatory.value_or(false) && is_placed_at_random(config);
  for (const AreaConfig& from : *config.areas)
    for (const AreaConfig& to : *config.areas) {
      if (&from == &to) continue;
      const double density = density_between(config, from.name, to.name);
      if (density > 0 && (density < 1 || by_types)) return true;
    }
  return false;
}

Mask make_areas(const WiringConfig& config, const WiringEntry& entry, Seed seed,
                std::span<const std::uint8_t> excitatory) {
  const Sheet sheet = config.sheet();
  const std::span<const Area> areas = sheet.all_areas();
  std::vector<Pair> pairs;
  for (std::size_t k = 0; k < areas.size(); ++k)
    add_within(config, entry, areas[k], (*config.areas)[k], seed_of_area(seed, k), pairs);
  for (std::size_t from = 0; from < areas.size(); ++from)
    for (std::size_t to = 0; to < areas.size(); ++to)
      if (from != to)
        add_between(areas[from], areas[to],
                    density_between(config, areas[from].name, areas[to].name), excitatory,
                    wiring_key(seed, WiringDraw::between, from * areas.size() + to), pairs);
  return {sheet.n_units(), sheet.n_units(), std::move(pairs)};
}

Mask within_or_between(const Mask& mask, const Sheet& sheet, bool within) {
  std::vector<Index> offsets{0}, sources;
  for (std::size_t target = 0; target < mask.n_targets(); ++target) {
    for (const Index source : mask.sources_of(target))
      if ((sheet.area_of(target) == sheet.area_of(source)) == within) sources.push_back(source);
    offsets.push_back(static_cast<Index>(sources.size()));
  }
  return {mask.n_targets(), mask.n_sources(), std::move(offsets), std::move(sources)};
}

std::string size_text(const WiringConfig& config) {
  if (!config.areas) return fmt::format("a sheet of {} x {}", config.rows, config.cols);
  return "the list of wiring.areas";
}

std::string_view size_keys(const WiringConfig& config) {
  return config.areas ? "rows and cols of its areas" : "wiring.rows and wiring.cols";
}

std::vector<AreaStatistics> area_statistics(const Mask& mask, const Sheet& sheet) {
  require_fit(mask, sheet);
  const std::span<const Area> areas = sheet.all_areas();
  std::vector<AreaStatistics> all;
  for (std::size_t from = 0; from < areas.size(); ++from)
    for (std::size_t to = 0; to < areas.size(); ++to) all.push_back({from, to, 0, 0});
  if (areas.empty()) return all;
  for (std::size_t target = 0; target < mask.n_targets(); ++target)
    for (const Index source : mask.sources_of(target))
      ++all[sheet.area_of(source) * areas.size() + sheet.area_of(target)].n_synapses;
  for (AreaStatistics& s : all)
    s.density = static_cast<double>(s.n_synapses) /
                static_cast<double>(areas[s.from].n_units() * areas[s.to].n_units());
  return all;
}

Mask mask_of_area(const Mask& mask, const Area& area) {
  std::vector<Index> offsets{0}, sources;
  const std::size_t last = area.first + area.n_units();
  for (std::size_t target = area.first; target < last; ++target) {
    for (const Index source : mask.sources_of(target))
      if (source >= area.first && source < last)
        sources.push_back(source - static_cast<Index>(area.first));
    offsets.push_back(static_cast<Index>(sources.size()));
  }
  return {area.n_units(), area.n_units(), std::move(offsets), std::move(sources)};
}

}  // namespace lmrnn
