// Connectivity masks: which synapses exist. Task-agnostic and fixed during training.
//
// Masks are mask[target, source] everywhere: row i holds the sources of unit i. Source of the
// wirings: Khona, Chandra, Ma & Fiete 2023 (local, autapse); the others are controls.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lmrnn/config.hpp"
#include "lmrnn/random.hpp"

namespace lmrnn {

enum class Metric { l1, l2, linf };
constexpr std::array<std::pair<std::string_view, Metric>, 3> enum_names(Metric) {
  return {{{"l1", Metric::l1}, {"l2", Metric::l2}, {"linf", Metric::linf}}};
}

enum class Boundary { torus, open };
constexpr std::array<std::pair<std::string_view, Boundary>, 2> enum_names(Boundary) {
  return {{{"torus", Boundary::torus}, {"open", Boundary::open}}};
}

// Every wiring: its name, what it is, whether its mask depends on the seed. The function
// `Mask make_NAME(const WiringConfig&, Seed)` in src/wiring/ makes it. To add a wiring, write that
// function and a line here; the enumeration, the names and the catalogue are made from these lines.
// clang-format off
#define LMRNN_WIRINGS(WIRING)                                                                      \
  WIRING(local, "a synapse wherever the distance on the sheet is at most radius", false)           \
  WIRING(autapse, "every unit connects to itself and to no other", false)                          \
  WIRING(dense, "all pairs", false)                                                                \
  WIRING(random, "the local mask, shuffled; autapses, degrees and reciprocal pairs are kept, "     \
                 "places are not", true)                                                           \
  WIRING(blocks, "dense groups of block_units units, not connected to one another", false)         \
  WIRING(rewired, "the local mask; the share rewire of its synapses has a random source", true)    \
  WIRING(exponential, "probability falls with distance over length; expected density given", true) \
  WIRING(file, "mask or connectome from npz, npy, safetensors or a CSV list of edges", false)
// clang-format on

#define LMRNN_KIND(name, meaning, is_random) name,
enum class WiringKind { LMRNN_WIRINGS(LMRNN_KIND) };
#undef LMRNN_KIND

#define LMRNN_NAME(name, meaning, is_random) \
  std::pair<std::string_view, WiringKind>{#name, WiringKind::name},
constexpr auto enum_names(WiringKind) {
  return std::array{LMRNN_WIRINGS(LMRNN_NAME)};
}
#undef LMRNN_NAME

/// Where on the sheet the inhibitory units are.
enum class UnitPlacement { random, lattice, file };
constexpr std::array<std::pair<std::string_view, UnitPlacement>, 3> enum_names(UnitPlacement) {
  return {{{"random", UnitPlacement::random},
           {"lattice", UnitPlacement::lattice},
           {"file", UnitPlacement::file}}};
}

/// How initial weights from a file are scaled. fan_in: by one factor, so that the squares of a
/// unit's weights add to 1 on average over the units that have synapses, like weights drawn by
/// Initialisation::fan_in.
enum class WeightsScale { file, fan_in };
constexpr std::array<std::pair<std::string_view, WeightsScale>, 2> enum_names(WeightsScale) {
  return {{{"file", WeightsScale::file}, {"fan-in", WeightsScale::fan_in}}};
}

/// Which synapses share a gain: those between units of the same two types, onto the same unit, of
/// the same unit, or all.
enum class GainGroups { types, targets, sources, all };
constexpr std::array<std::pair<std::string_view, GainGroups>, 4> enum_names(GainGroups) {
  return {{{"types", GainGroups::types},
           {"targets", GainGroups::targets},
           {"sources", GainGroups::sources},
           {"all", GainGroups::all}}};
}

/// Measured places of units, e.g. of the neurons of a connectome, in any unit of length.
struct UnitCoordinates {
  std::size_t n_dimensions = 0;  ///< 2 or 3
  std::vector<double> values;    ///< (unit, dimension)
  double spacing = 1;  ///< mean over units of the distance to the nearest unit at another place
};

/// One of several sheets of a network: rows x cols units with consecutive indices.
struct Area {
  std::string name;
  std::int64_t rows = 0, cols = 0;
  std::size_t first = 0;  ///< its units are first ... first + n_units() - 1, row-major

  std::size_t n_units() const noexcept { return static_cast<std::size_t>(rows * cols); }
};

/// Units on a rows x cols sheet, row-major: unit = row * cols + col. Distances are in units of the
/// spacing between neighbours; with coordinates, they are between these, in their unit. With areas,
/// `rows` is 1 and `cols` the number of all units; rows and columns are those of each area.
struct Sheet {
  std::int64_t rows = 32;
  std::int64_t cols = 32;
  Metric metric = Metric::l1;
  Boundary boundary = Boundary::torus;
  std::shared_ptr<const UnitCoordinates> coordinates{};  ///< nullptr: rows and columns
  std::shared_ptr<const std::vector<Area>> areas{};      ///< nullptr: one sheet
  std::optional<double> between_length{};                ///< of synapses between areas, if known

  std::size_t n_units() const noexcept { return static_cast<std::size_t>(rows * cols); }
  /// The distance between neighbours: 1, or the mean spacing of the coordinates.
  double spacing() const noexcept { return coordinates ? coordinates->spacing : 1; }
  /// Infinity for units of different areas.
  double distance(std::size_t unit_a, std::size_t unit_b) const noexcept;
  /// The length of a synapse: the distance of its units, or, between areas, between_length (NaN if
  /// that is unknown).
  double wire_length(std::size_t target, std::size_t source) const noexcept;
  /// The areas; none if there is one sheet.
  std::span<const Area> all_areas() const noexcept;
  /// Number of the area of a unit; 0 if there is one sheet.
  std::size_t area_of(std::size_t unit) const noexcept;
  /// One of the areas as a sheet of its own.
  Sheet of_area(std::size_t area) const;
};

/// A set of synapses in compressed rows. Sources within a row are sorted and distinct.
///
/// Threads: may be shared; it never changes, unless you assign to it.
class Mask {
 public:
  Mask() = default;
  /// Throws UsageError if an index is out of range or a synapse is named twice.
  Mask(std::size_t n_targets, std::size_t n_sources,
       std::vector<std::pair<std::uint32_t, std::uint32_t>> target_source_pairs);
  /// From compressed rows: `row_offsets` has n_targets + 1 entries. Throws like the constructor
  /// above.
  Mask(std::size_t n_targets, std::size_t n_sources, std::vector<std::uint32_t> row_offsets,
       std::vector<std::uint32_t> sources);

  static Mask dense(std::size_t n_targets, std::size_t n_sources);
  static Mask diagonal(std::size_t n_units);

  std::size_t n_targets() const noexcept { return n_targets_; }
  std::size_t n_sources() const noexcept { return n_sources_; }
  std::size_t n_synapses() const noexcept { return sources_.size(); }
  double density() const noexcept;
  std::span<const std::uint32_t> row_offsets() const noexcept { return row_offsets_; }
  std::span<const std::uint32_t> sources() const noexcept { return sources_; }
  /// Sources of unit `target`, ascending.
  std::span<const std::uint32_t> sources_of(std::size_t target) const noexcept;
  bool has(std::size_t target, std::size_t source) const noexcept;
  bool is_dense() const noexcept { return n_synapses() == n_targets_ * n_sources_; }
  bool is_diagonal() const noexcept;
  Mask transposed() const;
  friend bool operator==(const Mask&, const Mask&) = default;

 private:
  std::size_t n_targets_ = 0, n_sources_ = 0;
  std::vector<std::uint32_t> row_offsets_{0};
  std::vector<std::uint32_t> sources_;
};

/// The mask of an array that the user gives, in a file or from a program: a synapse wherever a
/// value is not 0. `read_row(target, row)` writes the n_sources values of a target into `row`.
/// Throws UsageError for a value that is not finite and for an array without any synapse; `name`
/// stands for the array in messages.
Mask mask_from_array(
    std::size_t n_targets, std::size_t n_sources, std::string_view name,
    const std::function<void(std::size_t target, std::span<double> row)>& read_row);

/// Throws UsageError if `mask` has no synapse. `name` stands for its origin in messages.
void require_synapses(const Mask& mask, std::string_view name);

enum class SubsetKind { all, none, local, autapse, random, blocks, file, within, between };
constexpr std::array<std::pair<std::string_view, SubsetKind>, 9> enum_names(SubsetKind) {
  return {{{"all", SubsetKind::all},
           {"none", SubsetKind::none},
           {"local", SubsetKind::local},
           {"autapse", SubsetKind::autapse},
           {"random", SubsetKind::random},
           {"blocks", SubsetKind::blocks},
           {"file", SubsetKind::file},
           {"within", SubsetKind::within},
           {"between", SubsetKind::between}}};
}

/// Some of the synapses of a wiring: all, none, those that another wiring on the same sheet also
/// has, or those within areas or between them.
struct SubsetConfig {
  SubsetKind kind = SubsetKind::all;
  double radius = 4;
  std::int64_t block_units = 32;
  std::string path{}, dataset{};
  std::optional<std::int64_t> seed{};

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("kind", self.kind,
          "all, none, those synapses that a wiring of this kind has as well, or those within or "
          "between areas");
    field("radius", self.radius, "local, random: as in [wiring]", distance());
    field("block_units", self.block_units, "blocks: as in [wiring]", at_least(1));
    field("path", self.path, "file: as in [wiring]");
    field("dataset", self.dataset, "file: as in [wiring]");
    field("seed", self.seed, "random: as in [wiring]", any_seed());
  }
  friend bool operator==(const SubsetConfig&, const SubsetConfig&) = default;
};

/// One entry of wiring.areas. Absent keys are those of [wiring].
struct AreaConfig {
  std::string name{};
  std::optional<std::int64_t> rows{}, cols{};
  std::optional<double> radius{};

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("name", self.name, "of letters, digits, _ and -");
    field("rows", self.rows, "rows of its sheet; absent: wiring.rows", between(1, 4096));
    field("cols", self.cols, "columns of its sheet; absent: wiring.cols", between(1, 4096));
    field("radius", self.radius, "local, random, rewired; absent: wiring.radius", distance());
  }
};

/// One entry of wiring.projections: synapses from one area onto another.
struct AreaProjectionConfig {
  std::string from{}, to{};
  std::optional<double> density{};  ///< required

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("from", self.from, "name of the area that projects");
    field("to", self.to, "name of the area that is projected onto");
    field("density", self.density, "share of the pairs of units, drawn at random", between(0, 1));
  }
};

/// [wiring] of a configuration.
struct WiringConfig {
  WiringKind kind = WiringKind::local;
  std::int64_t rows = 32;
  std::int64_t cols = 32;
  Metric metric = Metric::l1;
  Boundary boundary = Boundary::torus;
  double radius = 4;
  bool autapses = true;
  double rewire = 0.1;                 ///< rewired: share of edges given a new source
  double density = 0.04;               ///< exponential: expected density
  double length = 2.0;                 ///< exponential: decay length
  std::int64_t block_units = 32;       ///< blocks: units per block
  std::string path{};                  ///< file: where the mask is
  std::string dataset{};               ///< file: name of the array in it, if there are several
  std::optional<std::int64_t> seed{};  ///< of random masks; the run's seed if absent
  // Optional, so that files of networks without types of units do not mention them.
  std::optional<double> excitatory{};  ///< absent or 0: units have no type, unless a file gives it
  std::optional<UnitPlacement> excitatory_placement{};  ///< absent: random
  std::optional<std::string> excitatory_path{};
  std::optional<double> radius_ee{}, radius_ei{}, radius_ie{}, radius_ii{};  ///< absent: radius
  // Keys of measured networks, optional for the same reason.
  std::optional<std::string> coordinates_path{}, types_path{}, weights_path{};
  std::optional<WeightsScale> weights_scale{};     ///< absent: file
  std::optional<GainGroups> gains{};               ///< absent: weights are trained, not gains
  std::optional<std::vector<AreaConfig>> areas{};  ///< absent: one sheet of rows x cols
  std::optional<std::vector<AreaProjectionConfig>> projections{};
  std::optional<double> between_density{}, between_length{};
  std::optional<bool> between_excitatory{};  ///< absent: false
  SubsetConfig plastic{}, initial{};

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("kind", self.kind, "which synapses exist");
    field("rows", self.rows, "rows of the sheet", between(1, 4096));
    field("cols", self.cols, "columns of the sheet", between(1, 4096));
    field("metric", self.metric, "distance on the sheet");
    field("boundary", self.boundary, "torus: opposite edges meet; open: they do not");
    field("radius", self.radius, "a synapse where the distance is at most this", distance());
    field("autapses", self.autapses,
          "whether a unit connects to itself; file: false removes the autapses of the file");
    field("rewire", self.rewire, "rewired: share of the local synapses given a new source",
          between(0, 1));
    field("density", self.density, "exponential: expected share of all pairs, autapses included",
          between(0, 1));
    field("length", self.length, "exponential: distance over which probability falls by e",
          more_than(0));
    field("block_units", self.block_units,
          "blocks: units in each dense block; must divide the number of units", at_least(1));
    field("path", self.path,
          "file: npz, npy or safetensors mask[target, source], or CSV source,target (0-based)");
    field("dataset", self.dataset, "file: the array in it, if it holds several");
    field("seed", self.seed, "seed of a random mask; without it, the seed of the run", any_seed());
    field("excitatory", self.excitatory,
          "share of excitatory units, whose recurrent weights are never negative; those of the "
          "others are never positive (Dale's law); 0 or absent: signs are free",
          between(0, 1));
    field("excitatory_placement", self.excitatory_placement,
          "where the inhibitory units are; random (if absent): drawn by the seed; lattice: on a "
          "square lattice; file: as excitatory_path says");
    field("excitatory_path", self.excitatory_path,
          "file: npy, npz or safetensors array (unit), 1 for excitatory units, 0 for inhibitory");
    field("radius_ee", self.radius_ee,
          "radius of synapses from excitatory onto excitatory units; absent: radius", distance());
    field("radius_ei", self.radius_ei, "from excitatory onto inhibitory units", distance());
    field("radius_ie", self.radius_ie, "from inhibitory onto excitatory units", distance());
    field("radius_ii", self.radius_ii, "from inhibitory onto inhibitory units", distance());
    field("coordinates_path", self.coordinates_path,
          "npy, npz or safetensors array coordinates (unit, 2 or 3): distances are between these "
          "places, in their unit; absent: between rows and columns");
    field("types_path", self.types_path,
          "npy, npz or safetensors array types (unit) of whole numbers from 0: types of cells, for "
          "gains");
    field("weights_path", self.weights_path,
          "npy, npz or safetensors array weights (target, source): initial recurrent weights; "
          "absent: drawn");
    field("weights_scale", self.weights_scale,
          "of weights_path; file (if absent): as they are; fan-in: scaled so that the squares of a "
          "unit's weights add to 1 on average");
    field("gains", self.gains,
          "trains gains of the initial weights instead of the weights: one for each pair of types, "
          "for each target, for each source, or one for all");
    field(
        "areas", self.areas,
        "several sheets, each {name, rows, cols, radius}; within each, synapses are as kind says; "
        "absent: one sheet");
    field("projections", self.projections,
          "densities of synapses from one area onto another, each {from, to, density}; other pairs "
          "have between_density");
    field(
        "between_density", self.between_density,
        "share of the pairs of units of two areas that have a synapse, drawn at random, for every "
        "ordered pair of areas",
        between(0, 1));
    field("between_excitatory", self.between_excitatory,
          "true: only excitatory units project to other areas");
    field(
        "between_length", self.between_length,
        "length of every synapse between areas, in spacings; absent: unknown, so there is no wire "
        "length, and loss.wire_penalty is refused",
        at_least(0));
    field("plastic", self.plastic,
          "which synapses are trained; the others keep their initial weights");
    field("initial", self.initial,
          "which synapses begin with a weight, drawn as if there were no others; the others "
          "begin at 0");
  }

  /// Rows, columns and areas only. For distances use make_sheet, which knows the coordinates.
  Sheet sheet() const;
  /// Whether units are excitatory or inhibitory.
  bool has_unit_types() const noexcept {
    return excitatory.value_or(0) > 0 || excitatory_placement == UnitPlacement::file;
  }
  bool has_pair_radii() const noexcept { return radius_ee || radius_ei || radius_ie || radius_ii; }
  /// Whether every synapse has a length; those between areas need between_length.
  bool has_wire_lengths() const noexcept {
    return !areas || areas->size() == 1 || between_length.has_value();
  }
};

/// The mask that `config` describes; rows * cols units, or those of all areas. `run_seed` is for
/// random kinds that have no seed of their own. Throws UsageError (impossible values, unreadable or
/// ill-shaped file).
Mask make_mask(const WiringConfig& config, Seed run_seed);

/// Throws UsageError for keys that need types of units where there are none, and if no unit would
/// be excitatory, or none inhibitory although `excitatory` is less than 1. Reads no file.
void check_unit_types(const WiringConfig& config);

/// (unit) 1: excitatory, 0: inhibitory; empty if units have no type. Of n units, n * excitatory, to
/// the nearest whole number, are excitatory. On a lattice the inhibitory units are at the crossings
/// of evenly spaced rows and columns, and their share is the nearest that this allows. Throws
/// UsageError like check_unit_types, and for a file that does not hold types.
std::vector<std::uint8_t> excitatory_units(const WiringConfig& config, Seed run_seed);

/// The sheet of `config`, with the coordinates in wiring.coordinates_path if it is set. Throws
/// UsageError for a file that does not hold them, and for coordinates on a torus.
Sheet make_sheet(const WiringConfig& config);

/// `grid` with coordinates (unit, n_dimensions), whose spacing is computed. `name` stands for them
/// in messages. Throws UsageError for other shapes, numbers that are not finite, a torus, or units
/// that are all at one place.
Sheet with_coordinates(Sheet grid, std::size_t n_dimensions, std::vector<double> values,
                       std::string_view name);

/// Throws UsageError for keys of measured networks that contradict each other. Reads no file.
void check_measured(const WiringConfig& config);

/// Throws UsageError for keys of areas that contradict each other or other keys. Reads no file.
void check_areas(const WiringConfig& config);

/// (unit) the types of cells in wiring.types_path; empty if it is absent. Throws UsageError for a
/// file that does not hold them.
std::vector<std::uint32_t> cell_types(const WiringConfig& config);

/// (synapse of `mask`) the weights in wiring.weights_path, scaled; empty if it is absent.
/// `excitatory`: what excitatory_units returns. If units have a type and no weight is negative, as
/// in counts of contacts, weights of inhibitory units are made negative. Throws UsageError for a
/// file that does not hold weights, for a weight without a synapse in `mask`, and if all are 0.
std::vector<float> weights_from_file(const WiringConfig& config, const Mask& mask,
                                     std::span<const std::uint8_t> excitatory);

/// Whether make_mask gives another mask for another seed.
bool depends_on_seed(const WiringConfig& config);

/// The synapses of `mask` that `subset` names; `wiring` is what `mask` was made from, and `key` the
/// name of the subset in messages ("wiring.plastic"). Throws UsageError like make_mask, and if a
/// subset other than `none` has no synapse of `mask`.
Mask make_subset(const Mask& mask, const WiringConfig& wiring, const SubsetConfig& subset,
                 std::string_view key, Seed run_seed);

/// A row of the catalogue of wirings, over which the command line, the documentation and the
/// generic tests iterate.
struct WiringEntry {
  WiringKind kind;
  std::string_view meaning;
  bool is_random;  ///< whether the mask depends on the seed
  Mask (*make)(const WiringConfig& config, Seed seed);
};
std::span<const WiringEntry> wirings() noexcept;

/// A random mask with the autapses of `mask` and, for every unit, its in-degree, its out-degree
/// and its number of reciprocal partners: mutual pairs exchange partners with mutual pairs, one-way
/// synapses with one-way synapses (Maslov & Sneppen 2002). Throws UsageError unless `mask` is
/// square.
Mask shuffled_mask(const Mask& mask, Seed seed);

/// Synapses from the inputs onto the sheet, or from the sheet onto the readout.
struct ProjectionConfig {
  double density = 1.0;               ///< share of pairs kept, drawn at random
  std::vector<std::int64_t> patch{};  ///< [row, col, rows, cols] of the sheet; empty: all of it
  std::optional<std::vector<std::string>> areas{};  ///< names of areas; absent: all

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("density", self.density, "share of the synapses that exist, drawn at random",
          between(0, 1));
    field("patch", self.patch,
          "[row, col, rows, cols]: only units in this rectangle of the sheet take part; [] = all",
          at_least(0));
    field("areas", self.areas,
          "names of wiring.areas whose units take part, e.g. [\"sensory\"]; with one, patch is a "
          "rectangle of it; absent: all");
  }
};

/// Mask (unit, channel) of the input weights. Of the pairs within the areas and the patch, the
/// share `density` exists, to the nearest whole number. Throws UsageError (a patch that extends
/// beyond the sheet, a patch of several areas, an area that the sheet does not have).
Mask make_input_mask(const ProjectionConfig& config, const Sheet& sheet, std::size_t n_channels,
                     Seed seed);
/// Mask (class, unit) of the readout weights, in the same way. Throws like make_input_mask.
Mask make_readout_mask(const ProjectionConfig& config, const Sheet& sheet, std::size_t n_classes,
                       Seed seed);

struct MaskStatistics {
  std::size_t n_units = 0, n_synapses = 0, n_autapses = 0;
  double density = 0;
  std::size_t in_degree_min = 0, in_degree_max = 0, out_degree_min = 0, out_degree_max = 0;
  double in_degree_mean = 0;
  double reciprocity = 0;       ///< share of synapses (no autapses) whose reverse exists, or 0
  double mean_path_length = 0;  ///< over ordered pairs that are connected; NaN if there are none
  double reachable = 0;         ///< share of ordered pairs joined by a directed path
  double clustering = 0;        ///< mean local clustering of the undirected graph, no autapses;
                                ///< units with fewer than two neighbours count as 0
  double wire_length = 0;       ///< sum of the lengths of all synapses, in spacings of the sheet;
                                ///< NaN if the length of one is unknown
};

/// Synapses from one area onto another, or within one.
struct AreaStatistics {
  std::size_t from = 0, to = 0;  ///< numbers of the areas
  std::size_t n_synapses = 0;
  double density = 0;  ///< synapses as a share of all pairs of units
};

/// Throws UsageError unless the mask has `sheet.n_units()` units.
MaskStatistics mask_statistics(const Mask& mask, const Sheet& sheet);

/// (from, to) for all pairs of the areas of `sheet`, those within one area included. Throws like
/// mask_statistics.
std::vector<AreaStatistics> area_statistics(const Mask& mask, const Sheet& sheet);

/// The synapses within one area, with its units numbered from 0.
Mask mask_of_area(const Mask& mask, const Area& area);

}  // namespace lmrnn
