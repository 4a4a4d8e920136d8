#include <fmt/core.h>

#include <memory>
#include <optional>
#include <shared_mutex>
#include <utility>
#include <variant>

#include "bindings.hpp"
#include "configuration.hpp"
#include "evaluate_callable.hpp"
#include "interruption.hpp"
#include "lmrnn/analysis.hpp"
#include "lmrnn/psychometric.hpp"
#include "lmrnn/run.hpp"
#include "network.hpp"
#include "seed_argument.hpp"

namespace lmrnn::python {
namespace {

namespace fs = std::filesystem;

Subject load_subject(const fs::path& path) {
  const fs::path file = find_network(path);
  return make_subject(load_network(file), file);
}

void analyze(const fs::path& network, const std::string& name, nb::dict options,
             const fs::path& out, std::optional<fs::path> untrained, const std::string& control,
             const std::optional<SeedArgument>& seed, int threads, bool latex) {
  const AnalysisEntry& entry = find_analysis(name);
  const ConfigTable table = to_table(options, "analyze(" + name + ")");
  const auto which = named<Control>(control, "control");
  const ConfigTable resolved = entry.resolve(table);
  require_place_for_analysis(out, entry.name);
  Interruption interruption;
  try {
    const nb::gil_scoped_release release;
    Subject subject = load_subject(network);
    const Seed chosen = seed ? Seed(*seed) : subject.trained.seed;
    if (which != Control::none) subject = make_control(subject, which, chosen);
    ThreadPool pool(threads);
    AnalysisContext context{.pool = pool, .seed = chosen};
    context.stop_requested = [&] { return interruption.asked(); };
    context.load = load_subject;
    context.untrained = [&]() -> std::optional<Subject> {
      if (!untrained) return {};
      return load_subject(*untrained);
    };
    write_analysis(out, entry.run(subject, table, context), resolved,
                   {entry.name, subject.step, which, chosen}, latex);
  } catch (const Interrupted&) {
    interruption.rethrow();
    throw;
  }
}

/// (columns, rows) of a table.
nb::tuple columns_and_rows(const Table& table) {
  nb::list rows;
  for (const std::vector<TableCell>& row : table.rows) {
    nb::list cells;
    for (const TableCell& cell : row)
      cells.append(std::visit([](const auto& value) { return nb::cast(value); }, cell));
    rows.append(cells);
  }
  return nb::make_tuple(nb::cast(table.columns), rows);
}

/// The table of `compute(options, context)`, which runs without the GIL.
template <class Compute>
nb::tuple psychometric(nb::dict options, const SeedArgument& seed, int threads, Compute compute) {
  const ConfigTable table = to_table(options, "psychometric");
  Interruption interruption;
  AnalysisResult result;
  try {
    const nb::gil_scoped_release release;
    ThreadPool pool(threads);
    AnalysisContext context{.pool = pool, .seed = Seed(seed)};
    context.stop_requested = [&] { return interruption.asked(); };
    result = compute(table, context);
  } catch (const Interrupted&) {
    interruption.rethrow();
    throw;
  }
  return columns_and_rows(result.table("psychometric"));
}

nb::tuple psychometric_of_network(nb::handle network, const Battery& battery, nb::dict options,
                                  const SeedArgument& seed, int threads) {
  const SharedNetwork shared = network_of(network);
  return psychometric(std::move(options), seed, threads,
                      [&](const ConfigTable& table, const AnalysisContext& context) {
                        const std::shared_lock turn(shared.turns);
                        return psychometric_curves(shared.network, battery, table, context);
                      });
}

/// `model`: what `logits_of` takes.
nb::tuple psychometric_of_callable(const nb::object& model, const Battery& battery,
                                   nb::dict options, const SeedArgument& seed, int threads) {
  const LogitsFunction logits = [&](const TrialBatch& trials) {
    const nb::gil_scoped_acquire gil;
    return logits_of(model, trials, battery, "psychometric");
  };
  return psychometric(std::move(options), seed, threads,
                      [&](const ConfigTable& table, const AnalysisContext& context) {
                        return psychometric_curves(logits, battery, table, context);
                      });
}

nb::list list_analyses() {
  nb::list list;
  for (const AnalysisEntry& entry : analyses()) {
    nb::dict options;
    for (const FieldDoc& f : entry.document())
      options[nb::str(f.key.c_str())] = nb::make_tuple(f.type, f.fallback, f.meaning);
    list.append(nb::make_tuple(entry.name, entry.meaning, options));
  }
  return list;
}

}  // namespace

void bind_analyze(nb::module_& m) {
  m.def("analyze", &analyze, "network"_a, "name"_a, "options"_a, "out"_a, nb::kw_only(),
        "untrained"_a = nb::none(), "control"_a = "none", "seed"_a = nb::none(), "threads"_a = 0,
        "latex"_a = false,
        "Runs an analysis on a network file or the newest checkpoint of a directory, and writes "
        "what comes out into the directory `out`.");
  m.def("_psychometric", &psychometric_of_network, "network"_a, "battery"_a, "options"_a, "seed"_a,
        "threads"_a);
  m.def("_psychometric_callable", &psychometric_of_callable, "model"_a, "battery"_a, "options"_a,
        "seed"_a, "threads"_a);
  m.def("list_analyses", &list_analyses,
        "(name, meaning, {option: (type, default, meaning)}) of every analysis.");
}

}  // namespace lmrnn::python
