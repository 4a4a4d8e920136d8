#include "lmrnn/wiring.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <numeric>
#include <tuple>

#include "arrays.hpp"
#include "bindings.hpp"
#include "configuration.hpp"
#include "mask_argument.hpp"
#include "pickling.hpp"
#include "refusal.hpp"
#include "seed_argument.hpp"
#include "user_array.hpp"

namespace lmrnn::python {
namespace {

Mask mask_from_pairs(std::size_t n_targets, std::size_t n_sources, const ArrayArgument& given) {
  const UserArray array(given.object, "target_source_pairs");
  if (array.n_dimensions() != 2 || array.shape()[1] != 2)
    throw UsageError("target_source_pairs: give an array (synapse, 2) of target and source");
  const auto place = [&](std::size_t i) { return array.place(i, {"synapse", "column"}); };
  const std::vector<std::int32_t> numbers =
      whole_numbers(array, 0, std::max(n_targets, n_sources), place);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> list;
  for (std::size_t i = 0; i < numbers.size(); i += 2)
    list.emplace_back(static_cast<std::uint32_t>(numbers[i]),
                      static_cast<std::uint32_t>(numbers[i + 1]));
  Mask mask(n_targets, n_sources, std::move(list));
  require_synapses(mask, array.name());
  return mask;
}

auto to_dense(const Mask& mask) {
  Buffer<std::uint8_t> dense(mask.n_targets() * mask.n_sources());
  for (std::size_t i = 0; i < mask.n_targets(); ++i)
    for (const std::uint32_t j : mask.sources_of(i)) dense[i * mask.n_sources() + j] = 1;
  return adopt_as<bool>(std::move(dense), {mask.n_targets(), mask.n_sources()});
}

auto targets_of(const Mask& mask) {
  std::vector<std::uint32_t> targets;
  targets.reserve(mask.n_synapses());
  for (std::size_t i = 0; i < mask.n_targets(); ++i)
    targets.insert(targets.end(), mask.sources_of(i).size(), static_cast<std::uint32_t>(i));
  const std::size_t n = targets.size();
  return adopt(std::move(targets), {n});
}

Mask mask_of_kind(const std::string& kind, const std::optional<SeedArgument>& seed,
                  const nb::kwargs& keywords) {
  nb::kwargs all = keywords;
  all["kind"] = kind;
  if (all.contains("sheet")) {
    const auto sheet = nb::cast<Sheet>(all["sheet"]);
    if (sheet.areas)
      throw UsageError(
          "Mask.make: this sheet has areas, whose radii and densities it does not know; give "
          "areas=[{\"name\": ..., \"rows\": ..., \"cols\": ...}, ...] and between_density instead "
          "of "
          "the sheet");
    if (sheet.coordinates)
      throw UsageError(
          "Mask.make: this sheet has coordinates, which masks read from a file; give "
          "coordinates_path, metric, boundary, rows and cols instead of the sheet");
    all["rows"] = sheet.rows;
    all["cols"] = sheet.cols;
    all["metric"] = std::string(to_name(sheet.metric));
    all["boundary"] = std::string(to_name(sheet.boundary));
    nb::del(all["sheet"]);
  }
  const auto config = from_keywords<WiringConfig>(all, "Mask.make");
  if (depends_on_seed(config) && !seed)
    throw UsageError("Mask.make: " + kind + " masks are random; say which, e.g. seed=0");
  const nb::gil_scoped_release release;
  return make_mask(config, seed_or_zero(seed));
}

nb::dict to_dict(const MaskStatistics& s) {
  nb::dict d;
  d["n_units"] = s.n_units;
  d["n_synapses"] = s.n_synapses;
  d["n_autapses"] = s.n_autapses;
  d["density"] = s.density;
  d["in_degree_min"] = s.in_degree_min;
  d["in_degree_max"] = s.in_degree_max;
  d["in_degree_mean"] = s.in_degree_mean;
  d["out_degree_min"] = s.out_degree_min;
  d["out_degree_max"] = s.out_degree_max;
  d["reciprocity"] = s.reciprocity;
  d["mean_path_length"] = s.mean_path_length;
  d["reachable"] = s.reachable;
  d["clustering"] = s.clustering;
  d["wire_length"] = s.wire_length;
  return d;
}

nb::dict statistics_of(const Mask& mask, const Sheet& sheet) {
  MaskStatistics s;
  std::vector<MaskStatistics> within;
  {
    const nb::gil_scoped_release release;
    s = mask_statistics(mask, sheet);
    for (std::size_t k = 0; k < sheet.all_areas().size(); ++k)
      within.push_back(mask_statistics(mask_of_area(mask, sheet.all_areas()[k]), sheet.of_area(k)));
  }
  nb::dict d = to_dict(s);
  if (!sheet.areas) return d;
  const auto name = [&](std::size_t k) { return nb::str((*sheet.areas)[k].name.c_str()); };
  nb::dict areas, between;
  for (std::size_t k = 0; k < within.size(); ++k) areas[name(k)] = to_dict(within[k]);
  for (const AreaStatistics& pair : area_statistics(mask, sheet)) {
    if (pair.from == pair.to) continue;
    nb::dict one;
    one["n_synapses"] = pair.n_synapses;
    one["density"] = pair.density;
    between[nb::make_tuple(name(pair.from), name(pair.to))] = one;
  }
  d["areas"] = areas;
  d["between"] = between;
  return d;
}

auto distances(const Sheet& sheet, std::size_t unit) {
  if (unit >= sheet.n_units()) throw nb::index_error("the sheet has no unit of this number");
  std::vector<double> d(sheet.n_units());
  for (std::size_t other = 0; other < d.size(); ++other) d[other] = sheet.distance(unit, other);
  return adopt(std::move(d),
               {static_cast<std::size_t>(sheet.rows), static_cast<std::size_t>(sheet.cols)});
}

Sheet plain_sheet(std::int64_t rows, std::int64_t cols, const std::string& metric,
                  const std::string& boundary) {
  if (rows < 1 || cols < 1) throw UsageError("Sheet: rows and cols must be at least 1");
  return {rows, cols, named<Metric>(metric, "metric"), named<Boundary>(boundary, "boundary")};
}

/// `areas`: names with (rows, cols).
AreaConfig area_from(const nb::handle name, const nb::handle size) {
  AreaConfig area;
  std::pair<std::int64_t, std::int64_t> sizes;
  if (!nb::try_cast(name, area.name) || !nb::try_cast(size, sizes))
    throw UsageError(
        fmt::format("areas: {}: {}; give names of areas with (rows, cols), e.g. {{\"v1\": (8, 8)}}",
                    nb::repr(name).c_str(), nb::repr(size).c_str()));
  std::tie(area.rows, area.cols) = sizes;
  return area;
}

Sheet with_areas(Sheet sheet, const nb::dict& areas, std::optional<double> between_length) {
  WiringConfig config;
  config.metric = sheet.metric;
  config.boundary = sheet.boundary;
  config.areas.emplace();
  config.between_density = 0;
  config.between_length = between_length;
  for (const auto& [name, size] : areas) config.areas->push_back(area_from(name, size));
  check_ranges(config, "Sheet");
  check_areas(config);
  return config.sheet();
}

Sheet sheet_with(Sheet sheet, const std::optional<ArrayArgument>& coordinates) {
  if (!coordinates) return sheet;
  const UserArray array(coordinates->object, "coordinates");
  if (array.n_dimensions() != 2)
    throw UsageError(
        fmt::format("coordinates: an array of {} dimensions; give (unit, 2) or "
                    "(unit, 3)",
                    array.n_dimensions()));
  const std::size_t n_dimensions = array.shape()[1];
  std::vector<double> values(array.size());
  array.read(0, values);
  return with_coordinates(std::move(sheet), n_dimensions, std::move(values), "coordinates");
}

nb::object coordinates_of(const Sheet& sheet) {
  if (!sheet.coordinates) return nb::none();
  std::vector<double> values = sheet.coordinates->values;
  return nb::cast(adopt(std::move(values), {sheet.n_units(), sheet.coordinates->n_dimensions}));
}

/// Names of areas with their sheets, in the order of their units.
nb::dict areas_of(const Sheet& sheet) {
  nb::dict areas;
  for (std::size_t k = 0; k < sheet.all_areas().size(); ++k)
    areas[sheet.all_areas()[k].name.c_str()] = sheet.of_area(k);
  return areas;
}

auto unit_areas_of(const Sheet& sheet) {
  std::vector<std::uint32_t> areas(sheet.n_units());
  for (std::size_t unit = 0; unit < areas.size(); ++unit)
    areas[unit] = static_cast<std::uint32_t>(sheet.area_of(unit));
  const std::size_t n = areas.size();
  return adopt(std::move(areas), {n});
}

auto units_of_area(const Sheet& sheet, const std::string& name) {
  std::vector<std::string> names;
  for (const Area& area : sheet.all_areas()) {
    names.push_back(area.name);
    if (area.name != name) continue;
    std::vector<std::uint32_t> units(area.n_units());
    std::iota(units.begin(), units.end(), static_cast<std::uint32_t>(area.first));
    const std::size_t n = units.size();
    return adopt(std::move(units), {n});
  }
  throw UsageError(names.empty()
                       ? "units_of: this sheet has no areas; its units are all on it"
                       : fmt::format("units_of: \"{}\" is not one of \"{}\"{}", name,
                                     fmt::join(names, "\", \""),
                                     did_you_mean(name, names, "; name one of Sheet.areas")));
}

/// Areas as (name, rows, cols), and the length between them.
nb::tuple state_of_areas(const Sheet& sheet) {
  nb::list areas;
  for (const Area& area : *sheet.areas)
    areas.append(nb::make_tuple(area.name, area.rows, area.cols));
  return nb::make_tuple(nb::tuple(areas), sheet.between_length);
}

nb::tuple state_of_sheet(const Sheet& s) {
  const std::string metric(to_name(s.metric)), boundary(to_name(s.boundary));
  if (s.areas) return nb::make_tuple(s.rows, s.cols, metric, boundary, state_of_areas(s));
  if (!s.coordinates) return nb::make_tuple(s.rows, s.cols, metric, boundary);
  return nb::make_tuple(s.rows, s.cols, metric, boundary, s.coordinates->n_dimensions,
                        to_state(s.coordinates->values));
}
Sheet sheet_from(const nb::tuple& state) {
  Sheet sheet = plain_sheet(nb::cast<std::int64_t>(state[0]), nb::cast<std::int64_t>(state[1]),
                            nb::cast<std::string>(state[2]), nb::cast<std::string>(state[3]));
  if (nb::len(state) == 4) return sheet;
  if (nb::len(state) == 5) {
    const auto parts = nb::cast<nb::tuple>(state[4]);
    nb::dict areas;
    for (const nb::handle area : nb::cast<nb::tuple>(parts[0]))
      areas[nb::object(area[0])] = nb::make_tuple(nb::object(area[1]), nb::object(area[2]));
    return with_areas(std::move(sheet), areas, nb::cast<std::optional<double>>(parts[1]));
  }
  std::vector<double> values;
  from_state(state[5], values);
  return with_coordinates(std::move(sheet), nb::cast<std::size_t>(state[4]), std::move(values),
                          "coordinates");
}

}  // namespace

Mask mask_from_object(const ArrayArgument& given, const std::string& name) {
  if (nb::isinstance<Mask>(given.object)) return nb::cast<Mask>(given.object);
  const nb::object plain =
      nb::module_::import_("lmrnn.wirings.objects").attr("plain")(given.object, name);
  if (nb::isinstance<Mask>(plain)) return nb::cast<Mask>(plain);
  return mask_from(UserArray(plain, name));
}

nb::tuple state_of_mask(const Mask& mask) {
  const auto offsets = mask.row_offsets(), sources = mask.sources();
  return nb::make_tuple(mask.n_targets(), mask.n_sources(),
                        to_state(std::vector(offsets.begin(), offsets.end())),
                        to_state(std::vector(sources.begin(), sources.end())));
}
Mask mask_from_state(const nb::tuple& state) {
  std::vector<std::uint32_t> offsets, sources;
  from_state(state[2], offsets);
  from_state(state[3], sources);
  return {nb::cast<std::size_t>(state[0]), nb::cast<std::size_t>(state[1]), std::move(offsets),
          std::move(sources)};
}

void bind_wiring(nb::module_& m) {
  nb::class_<Sheet> sheet(
      m, "Sheet",
      "Units on a rows x cols sheet, row-major: unit = row * cols + col. Distances in "
      "units of the spacing between neighbours.");
  sheet
      .def(
          "__init__",
          [](Sheet* self, std::int64_t rows, std::int64_t cols, const std::string& metric,
             const std::string& boundary, const std::optional<ArrayArgument>& coordinates) {
            new (self) Sheet(sheet_with(plain_sheet(rows, cols, metric, boundary), coordinates));
          },
          "rows"_a, "cols"_a, "metric"_a = "l1", "boundary"_a = "torus", nb::kw_only(),
          "coordinates"_a = nb::none(),
          "metric: l1, l2 or linf; boundary: torus (opposite edges meet) or open. `coordinates` "
          "(unit, 2 or 3): distances are between these places, in their unit; with boundary "
          "\"open\".")
      .def_ro("rows", &Sheet::rows)
      .def_ro("cols", &Sheet::cols)
      .def_prop_ro("metric", [](const Sheet& s) { return std::string(to_name(s.metric)); })
      .def_prop_ro("boundary", [](const Sheet& s) { return std::string(to_name(s.boundary)); })
      .def_prop_ro("n_units", &Sheet::n_units)
      .def_prop_ro("coordinates", &coordinates_of,
                   nb::sig("def coordinates(self) -> NDArray[numpy.float64] | None"),
                   "(unit, dimension) measured places; None: rows and columns. A copy.")
      .def_prop_ro("spacing", &Sheet::spacing,
                   "Distance of neighbours: 1, or with coordinates the mean distance of a unit to "
                   "the nearest one at another place.")
      .def_static(
          "of_areas",
          [](const nb::dict& areas, const std::string& metric, const std::string& boundary,
             std::optional<double> between_length) {
            return with_areas(plain_sheet(1, 1, metric, boundary), areas, between_length);
          },
          "areas"_a, nb::kw_only(), "metric"_a = "l1", "boundary"_a = "torus",
          "between_length"_a = nb::none(),
          nb::sig("def of_areas(areas: Mapping[str, tuple[int, int]], *, metric: str = 'l1', "
                  "boundary: str = 'torus', between_length: float | None = None) -> Sheet"),
          "Several sheets: names of areas with (rows, cols). Units are numbered area by area. "
          "`between_length` is the length of every synapse between areas, as in "
          "wiring.between_length; None: unknown.")
      .def_prop_ro(
          "areas", &areas_of, nb::sig("def areas(self) -> dict[str, Sheet]"),
          "Names of areas with the sheet of each, in the order of their units; empty if "
          "there is one sheet. With areas, `rows` is 1 and `cols` the number of all units.")
      .def_prop_ro("unit_areas", &unit_areas_of, nb::rv_policy::automatic,
                   "(unit) uint32: number of each unit's area, in the order of `areas`; 0 without.")
      .def("units_of", &units_of_area, "area"_a,
           "(unit) uint32: the units of an area. Raises UsageError for another name.")
      .def("distance", &Sheet::distance, "unit_a"_a, "unit_b"_a,
           "Between units of different areas: infinity.")
      .def("distances_from", &distances, "unit"_a, "(row, col) float64: distances from a unit.")
      .def("__repr__", [](const Sheet& s) {
        if (!s.areas)
          return fmt::format("Sheet({}, {}, metric={:?}, boundary={:?})", s.rows, s.cols,
                             to_name(s.metric), to_name(s.boundary));
        std::string areas;
        for (const Area& a : *s.areas)
          areas +=
              fmt::format("{}{:?}: ({}, {})", areas.empty() ? "" : ", ", a.name, a.rows, a.cols);
        return fmt::format(
            "Sheet.of_areas({{{}}}, metric={:?}, boundary={:?}{})", areas, to_name(s.metric),
            to_name(s.boundary),
            s.between_length ? fmt::format(", between_length={}", *s.between_length) : "");
      });
  refuse_other_arguments(sheet, "Sheet");
  bind_pickling(sheet, &state_of_sheet, &sheet_from);
  sheet.def("__hash__", [](const Sheet& s) { return nb::hash(state_of_sheet(s)); });

  m.def("_mask_from", &mask_from_object, "mask"_a, "name"_a,
        "Mask(mask), with `name` for it in messages.");
  const std::string make_doc =
      "The mask of a kind of wiring: local, autapse, dense, random, blocks, rewired, exponential, "
      "file.\n\n`seed` is needed for random kinds. A `sheet` may stand for rows, cols, metric and "
      "boundary.\nKeywords are the keys of [wiring]:\n\nOther Parameters\n----------------\n" +
      keyword_list<WiringConfig>();
  nb::class_<Mask> mask(m, "Mask",
                        "Which synapses exist: mask[target, source], in compressed rows. Fixed.");
  mask.def(
          "__init__",
          [](Mask* self, const ArrayArgument& mask) {
            new (self) Mask(mask_from_object(mask, "mask"));
          },
          "mask"_a, nb::sig("def __init__(self, mask: object) -> None"),
          "From a (target, source) array: a synapse wherever it is not zero. NumPy arrays, nested "
          "lists, tensors, sparse matrices, pandas and xarray tables have the target first; edges "
          "of "
          "networkx graphs go from source to target. Raises UsageError for values that are not "
          "finite, and if there is no synapse.")
      .def_static("make", &mask_of_kind, "kind"_a, nb::kw_only(), "seed"_a = nb::none(),
                  "keywords"_a, make_doc.c_str())
      .def_static(
          "from_pairs", &mask_from_pairs, "n_targets"_a, "n_sources"_a, "target_source_pairs"_a,
          "From a (synapse, 2) array of target and source. Raises UsageError if one is out of "
          "range or named twice, or if there is none.")
      .def_prop_ro(
          "shape", [](const Mask& k) { return std::pair(k.n_targets(), k.n_sources()); },
          "(targets, sources)")
      .def_prop_ro("n_synapses", &Mask::n_synapses)
      .def_prop_ro("density", &Mask::density, "Synapses as a share of all pairs.")
      .def_prop_ro(
          "row_offsets",
          [](nb::handle_t<Mask> self) {
            const auto s = nb::cast<const Mask&>(self).row_offsets();
            return view_of(s.data(), {s.size()}, self);
          },
          "(target + 1) uint32: synapses of target i are row_offsets[i] ... row_offsets[i + 1] - 1")
      .def_prop_ro(
          "sources",
          [](nb::handle_t<Mask> self) {
            const auto s = nb::cast<const Mask&>(self).sources();
            return view_of(s.data(), {s.size()}, self);
          },
          "(synapse) uint32, by target, ascending within a target")
      .def_prop_ro("targets", &targets_of, nb::rv_policy::automatic,
                   "(synapse) uint32, in the order of `sources`")
      .def(
          "sources_of",
          [](nb::handle_t<Mask> self, std::size_t target) {
            const Mask& mask = nb::cast<const Mask&>(self);
            if (target >= mask.n_targets()) throw nb::index_error("no unit of this number");
            const auto s = mask.sources_of(target);
            return view_of(s.data(), {s.size()}, self);
          },
          "target"_a, "Sources of a unit, ascending.")
      .def("to_dense", &to_dense, "(target, source) bool")
      .def(
          "shuffled",
          [](const Mask& k, const SeedArgument& seed) {
            const nb::gil_scoped_release release;
            return shuffled_mask(k, Seed(seed));
          },
          nb::kw_only(), "seed"_a,
          "A random mask with the same autapses, in-degrees, out-degrees and numbers of reciprocal "
          "partners.")
      .def(
          "statistics", &statistics_of, "sheet"_a,
          "Degrees, reciprocity, path length, clustering and wire length. With areas, `areas` has "
          "those within each of them, and `between` synapses and density from one onto another, by "
          "(from, to).")
      .def("__repr__", [](const Mask& k) {
        return fmt::format("Mask({} x {}, {} synapses, density {:.4f})", k.n_targets(),
                           k.n_sources(), k.n_synapses(), k.density());
      });
  bind_pickling(mask, &state_of_mask, &mask_from_state);
}

}  // namespace lmrnn::python
