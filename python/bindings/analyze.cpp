#include <fmt/core.h>

#include <memory>

#include "bindings.hpp"
#include "configuration.hpp"
#include "interruption.hpp"
#include "lmrnn/analysis.hpp"
#include "lmrnn/run.hpp"
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
    write_analysis(out, entry.run(subject, table, context), resolved, latex);
  } catch (const Interrupted&) {
    interruption.rethrow();
    throw;
  }
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
  m.def("list_analyses", &list_analyses,
        "(name, meaning, {option: (type, default, meaning)}) of every analysis.");
}

}  // namespace lmrnn::python
