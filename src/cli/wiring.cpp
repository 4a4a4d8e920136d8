// lmrnn wiring: show, stats.
#include "lmrnn/wiring.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common.hpp"
#include "draw_mask.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"
#include "verbs.hpp"
#include "wiring_options.hpp"

namespace lmrnn::cli {
namespace {

using Json = nlohmann::ordered_json;

Mask mask_of(const WiringConfig& config) {
  // WiringOptions has already put the seed into the config, wherever the mask needs it.
  return make_mask(config, Seed{0});
}

/// Number of excitatory units; nothing if units have no type. The seed does not change this number.
std::optional<std::size_t> n_excitatory(const WiringConfig& config) {
  if (!config.has_unit_types()) return std::nullopt;
  return static_cast<std::size_t>(std::ranges::count(excitatory_units(config, Seed{0}), 1));
}

Json to_json(const MaskStatistics& s) {
  return {{"n_units", s.n_units},
          {"n_synapses", s.n_synapses},
          {"n_autapses", s.n_autapses},
          {"density", s.density},
          {"in_degree_mean", s.in_degree_mean},
          {"in_degree_min", s.in_degree_min},
          {"in_degree_max", s.in_degree_max},
          {"out_degree_min", s.out_degree_min},
          {"out_degree_max", s.out_degree_max},
          {"reciprocity", s.reciprocity},
          {"mean_path_length", s.mean_path_length},  // null if no two units are connected
          {"reachable", s.reachable},
          {"clustering", s.clustering},
          {"wire_length", s.wire_length}};  // null if the length of a synapse is unknown
}

/// One object per area, and one per ordered pair of areas.
void add_areas(Json& json, const Mask& mask, const Sheet& sheet) {
  json["areas"] = Json::array();
  json["between"] = Json::array();
  for (std::size_t k = 0; k < sheet.areas->size(); ++k) {
    const Area& area = (*sheet.areas)[k];
    Json own{{"name", area.name}, {"rows", area.rows}, {"cols", area.cols}};
    own.update(to_json(mask_statistics(mask_of_area(mask, area), sheet.of_area(k))));
    json["areas"].push_back(std::move(own));
  }
  for (const AreaStatistics& s : area_statistics(mask, sheet))
    if (s.from != s.to)
      json["between"].push_back({{"from", (*sheet.areas)[s.from].name},
                                 {"to", (*sheet.areas)[s.to].name},
                                 {"n_synapses", s.n_synapses},
                                 {"density", s.density}});
}

Json to_json(const WiringConfig& config, const Mask& mask, const Sheet& sheet) {
  Json json;
  json["wiring"] = to_name(config.kind);
  if (!sheet.areas) json.update(Json{{"rows", config.rows}, {"cols", config.cols}});
  json.update(to_json(mask_statistics(mask, sheet)));
  if (const auto n = n_excitatory(config)) json["n_excitatory"] = *n;
  if (sheet.areas) add_areas(json, mask, sheet);
  return json;
}

std::string range(std::size_t least, std::size_t most) {
  return least == most ? fmt::format("{}", least) : fmt::format("{} to {}", least, most);
}

/// One line per area and per ordered pair of areas.
std::string areas_text(const Mask& mask, const Sheet& sheet) {
  std::string text = fmt::format("\n{:<24}{:>8}{:>10}{:>10}{:>10}{:>12}\n", "area", "units",
                                 "synapses", "density", "in-degree", "clustering");
  for (std::size_t k = 0; k < sheet.areas->size(); ++k) {
    const Area& area = (*sheet.areas)[k];
    const MaskStatistics s = mask_statistics(mask_of_area(mask, area), sheet.of_area(k));
    text += fmt::format("{:<24}{:>8}{:>10}{:>10.4f}{:>10.4g}{:>12.4f}\n",
                        fmt::format("{} ({} x {})", area.name, area.rows, area.cols), s.n_units,
                        s.n_synapses, s.density, s.in_degree_mean, s.clustering);
  }
  for (const AreaStatistics& s : area_statistics(mask, sheet)) {
    if (s.from == s.to) continue;
    const Area &from = (*sheet.areas)[s.from], &to = (*sheet.areas)[s.to];
    text += fmt::format("{:<24}{:>8}{:>10}{:>10.4f}{:>10.4g}\n",
                        fmt::format("{} -> {}", from.name, to.name), "", s.n_synapses, s.density,
                        static_cast<double>(s.n_synapses) / static_cast<double>(to.n_units()));
  }
  return text;
}

std::string to_text(const WiringConfig& config, const Mask& mask, const Sheet& sheet) {
  const MaskStatistics s = mask_statistics(mask, sheet);
  const auto entry = std::ranges::find(wirings(), config.kind, &WiringEntry::kind);
  std::string text = fmt::format("{}: {}\n", to_name(config.kind), entry->meaning);
  const auto line = [&](std::string_view name, const std::string& value) {
    text += fmt::format("{:<18}{}\n", name, value);
  };
  line("units", sheet.areas ? fmt::format("{} in {} areas", s.n_units, sheet.areas->size())
                            : fmt::format("{} ({} x {})", s.n_units, config.rows, config.cols));
  if (const auto n = n_excitatory(config))
    line("excitatory", fmt::format("{}, and {} inhibitory", *n, s.n_units - *n));
  line("synapses", fmt::format("{}, {:.6g} per unit, {} autapses", s.n_synapses, s.in_degree_mean,
                               s.n_autapses));
  line("density", fmt::format("{:.4f}", s.density));
  line("in-degree", range(s.in_degree_min, s.in_degree_max));
  line("out-degree", range(s.out_degree_min, s.out_degree_max));
  line("reciprocity", fmt::format("{:.4f}", s.reciprocity));
  line("mean path length", std::isnan(s.mean_path_length)
                               ? "none: no two units are connected by a path"
                               : fmt::format("{:.4f} ({:.2f}% of pairs have a path)",
                                             s.mean_path_length, 100 * s.reachable));
  line("clustering", fmt::format("{:.4f}", s.clustering));
  line("wire length", std::isnan(s.wire_length)
                          ? "unknown: set wiring.between_length, the length between areas"
                          : fmt::format("{:.10g}", s.wire_length));
  return sheet.areas ? text + areas_text(mask, sheet) : text;
}

// stats ---------------------------------------------------------------------------------------

struct StatsOptions {
  WiringOptions wiring;
  bool json = false;
};

void run_stats(const StatsOptions& options) {
  const WiringConfig config = options.wiring.config();
  const Mask mask = mask_of(config);
  const Sheet sheet = make_sheet(config);
  fmt::print("{}", options.json ? to_json(config, mask, sheet).dump(2) + "\n"
                                : to_text(config, mask, sheet));
}

void add_stats(CLI::App& parent) {
  const auto options = std::make_shared<StatsOptions>();
  CLI::App* verb =
      add_verb(parent, "stats", "print degrees, paths, clustering and wire length of a mask",
               "lmrnn wiring stats --wiring local --sheet 32x32 --metric l1 "
               "--radius 4 --boundary torus --json",
               [options] { run_stats(*options); });
  options->wiring.add_to(*verb);
  verb->add_flag("--json", options->json, "as JSON");
}

// show ----------------------------------------------------------------------------------------

struct ShowWiringOptions {
  WiringOptions wiring;
  std::string unit, out;
};

/// A unit, by its number or as ROW,COL; by default the middle one (of the first area).
std::size_t chosen_unit(const std::string& text, const Sheet& sheet) {
  const Sheet first = sheet.areas ? sheet.of_area(0) : sheet;
  if (text.empty()) return static_cast<std::size_t>(first.rows / 2 * first.cols + first.cols / 2);
  const auto number = [](const std::string& part) -> std::int64_t {
    const bool is_number = !part.empty() && part.size() < 10 &&
                           part.find_first_not_of("0123456789") == std::string::npos;
    return is_number ? std::stoll(part) : -1;
  };
  const std::size_t comma = text.find(',');
  std::int64_t unit = number(text.substr(0, comma));
  if (comma != std::string::npos) {
    const std::int64_t col = number(text.substr(comma + 1));
    unit = unit < 0 || col < 0 || col >= sheet.cols ? -1 : unit * sheet.cols + col;
  }
  if (sheet.areas && (comma != std::string::npos || unit < 0 ||
                      unit >= static_cast<std::int64_t>(sheet.n_units())))
    throw UsageError(
        fmt::format("--unit {}: give a number from 0 to {}; units of areas are "
                    "numbered area by area",
                    text, sheet.n_units() - 1));
  if (unit < 0 || unit >= static_cast<std::int64_t>(sheet.n_units()))
    throw UsageError(fmt::format("--unit {}: give a number from 0 to {}, or ROW,COL within {} x {}",
                                 text, sheet.n_units() - 1, sheet.rows, sheet.cols));
  return static_cast<std::size_t>(unit);
}

/// "row 3, column 4" or "sensory, row 3, column 4".
std::string place_of(std::size_t unit, const Sheet& sheet) {
  const std::size_t number = sheet.area_of(unit);
  const Area area = sheet.areas ? (*sheet.areas)[number] : Area{"", sheet.rows, sheet.cols};
  const auto cols = static_cast<std::size_t>(area.cols);
  const std::size_t own = unit - area.first;
  return fmt::format("{}{}row {}, column {}", area.name, area.name.empty() ? "" : ", ", own / cols,
                     own % cols);
}

void write_mask(const std::string& path, const Mask& mask, const WiringConfig& config) {
  std::vector<std::uint8_t> dense(mask.n_targets() * mask.n_sources(), 0);
  for (std::size_t target = 0; target < mask.n_targets(); ++target)
    for (const std::uint32_t source : mask.sources_of(target))
      dense[target * mask.n_sources() + source] = 1;
  ArrayFile file;
  file.arrays.emplace_back("mask", ArrayData::of(std::span<const std::uint8_t>(dense),
                                                 {mask.n_targets(), mask.n_sources()}));
  file.metadata["wiring"] = to_toml(write_config(config));
  write_arrays(path, file);
}

void run_show_wiring(const ShowWiringOptions& options) {
  const WiringConfig config = options.wiring.config();
  const Sheet sheet = make_sheet(config);
  const std::size_t unit = chosen_unit(options.unit, sheet);
  const Mask mask = mask_of(config);
  if (!options.out.empty()) write_mask(options.out, mask, config);

  const std::size_t width = terminal_width(stdout);
  constexpr std::size_t height = 40;
  fmt::print("{}\n", to_text(config, mask, sheet));
  fmt::print("unit {} ({}): {} sources\n\n{}\n", unit, place_of(unit, sheet),
             mask.sources_of(unit).size(), draw_neighbourhood(mask, sheet, unit, width, height));
  fmt::print("{}", draw_in_degrees(mask, width));
}

void add_show_wiring(CLI::App& parent) {
  const auto options = std::make_shared<ShowWiringOptions>();
  CLI::App* verb = add_verb(parent, "show", "draw the neighbourhood of a unit; save a mask",
                            "lmrnn wiring show --sheet 32x32 --metric l2 --radius 3.7\n"
                            "lmrnn wiring show --wiring random --seed 1 --out mask.npz",
                            [options] { run_show_wiring(*options); });
  verb->add_option("--unit", options->unit, "unit to draw; default: the one in the middle")
      ->type_name("N|ROW,COL");
  verb->add_option("--out", options->out, "save mask[target, source], 0 or 1, as .npz or .h5")
      ->type_name("FILE");
  options->wiring.add_to(*verb);
}

}  // namespace

void add_wiring(CLI::App& program) {
  CLI::App* verb = add_verb(program, "wiring", "inspect connectivity masks before training",
                            "lmrnn wiring show --wiring local --sheet 32x32 --radius 4");
  verb->require_subcommand(1);
  add_show_wiring(*verb);
  add_stats(*verb);
}

}  // namespace lmrnn::cli
