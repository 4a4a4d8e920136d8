#include "lmrnn/wiring.hpp"

#include <fmt/core.h>

#include <cmath>

#include "arrays.hpp"
#include "bindings.hpp"
#include "configuration.hpp"
#include "seed_argument.hpp"

namespace lmrnn::python {
namespace {

Mask mask_from_dense(const ArrayIn<bool, nb::ndim<2>>& dense) {
  std::vector<std::uint32_t> offsets{0}, sources;
  for (std::size_t i = 0; i < dense.shape(0); ++i) {
    for (std::size_t j = 0; j < dense.shape(1); ++j)
      if (dense(i, j)) sources.push_back(static_cast<std::uint32_t>(j));
    offsets.push_back(static_cast<std::uint32_t>(sources.size()));
  }
  return Mask(dense.shape(0), dense.shape(1), std::move(offsets), std::move(sources));
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
    all["rows"] = sheet.rows;
    all["cols"] = sheet.cols;
    all["metric"] = std::string(to_name(sheet.metric));
    all["boundary"] = std::string(to_name(sheet.boundary));
    nb::del(all["sheet"]);
  }
  const auto config = from_keywords<WiringConfig>(all, "Mask.make");
  for (const WiringEntry& entry : wirings())
    if (entry.kind == config.kind && entry.is_random && !seed)
      throw UsageError("Mask.make: " + kind + " masks are random; say which, e.g. seed=0");
  const nb::gil_scoped_release release;
  return make_mask(config, seed_or_zero(seed));
}

nb::dict statistics_of(const Mask& mask, const Sheet& sheet) {
  MaskStatistics s;
  {
    const nb::gil_scoped_release release;
    s = statistics(mask, sheet);
  }
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

auto distances(const Sheet& sheet, std::size_t unit) {
  if (unit >= sheet.n_units()) throw nb::index_error("the sheet has no unit of this number");
  std::vector<double> d(sheet.n_units());
  for (std::size_t other = 0; other < d.size(); ++other) d[other] = sheet.distance(unit, other);
  return adopt(std::move(d),
               {static_cast<std::size_t>(sheet.rows), static_cast<std::size_t>(sheet.cols)});
}

Sheet make_sheet(std::int64_t rows, std::int64_t cols, const std::string& metric,
                 const std::string& boundary) {
  if (rows < 1 || cols < 1) throw UsageError("Sheet: rows and cols must be at least 1");
  return {rows, cols, named<Metric>(metric, "metric"), named<Boundary>(boundary, "boundary")};
}

}  // namespace

void bind_wiring(nb::module_& m) {
  nb::class_<Sheet>(
      m, "Sheet",
      "Units on a rows x cols sheet, row-major: unit = row * cols + col. Distances in "
      "units of the spacing between neighbours.")
      .def(
          "__init__",
          [](Sheet* self, std::int64_t rows, std::int64_t cols, const std::string& metric,
             const std::string& boundary) {
            new (self) Sheet(make_sheet(rows, cols, metric, boundary));
          },
          "rows"_a, "cols"_a, "metric"_a = "l1", "boundary"_a = "torus",
          "metric: l1, l2 or linf; boundary: torus (opposite edges meet) or open")
      .def_ro("rows", &Sheet::rows)
      .def_ro("cols", &Sheet::cols)
      .def_prop_ro("metric", [](const Sheet& s) { return std::string(to_name(s.metric)); })
      .def_prop_ro("boundary", [](const Sheet& s) { return std::string(to_name(s.boundary)); })
      .def_prop_ro("n_units", &Sheet::n_units)
      .def("distance", &Sheet::distance, "unit_a"_a, "unit_b"_a)
      .def("distances_from", &distances, "unit"_a, "(row, col) float64: distances from a unit.")
      .def("__repr__", [](const Sheet& s) {
        return fmt::format("Sheet({}, {}, metric={:?}, boundary={:?})", s.rows, s.cols,
                           to_name(s.metric), to_name(s.boundary));
      });

  const std::string make_doc =
      "The mask of a kind of wiring: local, autapse, dense, random, blocks, rewired, exponential, "
      "file.\n\n`seed` is needed for random kinds. A `sheet` may stand for rows, cols, metric and "
      "boundary.\nKeywords are the keys of [wiring]:\n\nOther Parameters\n----------------\n" +
      keyword_list<WiringConfig>();
  nb::class_<Mask>(m, "Mask",
                   "Which synapses exist: mask[target, source], in compressed rows. Fixed.")
      .def(
          "__init__",
          [](Mask* self, const ArrayIn<bool, nb::ndim<2>>& dense) {
            new (self) Mask(mask_from_dense(dense));
          },
          "dense"_a, "From a (target, source) array: a synapse wherever it is not zero.")
      .def_static("make", &mask_of_kind, "kind"_a, nb::kw_only(), "seed"_a = nb::none(),
                  "keywords"_a, make_doc.c_str())
      .def_static(
          "from_pairs",
          [](std::size_t n_targets, std::size_t n_sources,
             const ArrayIn<std::uint32_t, nb::shape<-1, 2>>& pairs) {
            std::vector<std::pair<std::uint32_t, std::uint32_t>> list;
            for (std::size_t i = 0; i < pairs.shape(0); ++i)
              list.emplace_back(pairs(i, 0), pairs(i, 1));
            return Mask(n_targets, n_sources, std::move(list));
          },
          "n_targets"_a, "n_sources"_a, "target_source_pairs"_a,
          "From a (synapse, 2) array of target and source. Raises UsageError if one is out of "
          "range "
          "or named twice.")
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
            return shuffled(k, Seed(seed));
          },
          nb::kw_only(), "seed"_a,
          "A random mask with the same autapses, in-degrees, out-degrees and numbers of reciprocal "
          "partners.")
      .def("statistics", &statistics_of, "sheet"_a,
           "Degrees, reciprocity, path length, clustering and wire length.")
      .def("__eq__", [](const Mask& a, const Mask& b) { return a == b; })
      .def("__repr__", [](const Mask& k) {
        return fmt::format("Mask({} x {}, {} synapses, density {:.4f})", k.n_targets(),
                           k.n_sources(), k.n_synapses(), k.density());
      });
}

}  // namespace lmrnn::python
