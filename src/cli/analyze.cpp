// lmrnn analyze: what a network does, and how.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "common.hpp"
#include "lmrnn/analysis.hpp"
#include "lmrnn/run.hpp"
#include "lmrnn/zoo.hpp"
#include "progress.hpp"
#include "stop_signals.hpp"
#include "verbs.hpp"

namespace lmrnn::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct AnalyzeOptions {
  std::string network, name, out, control = "none";
  std::optional<Seed> seed;
  std::optional<std::int64_t> step;
  ConfigOptions config;
  bool list = false, json = false, latex = false;
  int n_threads = 0;
};

Subject load_subject(const fs::path& path) {
  const fs::path file = find_network(path);
  return make_subject(load_network(file), file);
}

fs::path network_path(const AnalyzeOptions& options) {
  if (!options.step) return options.network;
  const fs::path run = resolve_zoo(options.network);
  if (!fs::exists(run / "config.toml"))
    throw UsageError(
        fmt::format("--step {}: {} is not a run directory", *options.step, options.network));
  const fs::path checkpoint = checkpoint_path(run, *options.step);
  if (!fs::exists(checkpoint))
    throw UsageError(fmt::format("--step {}: {} has no checkpoint of that step; it has {}",
                                 *options.step, options.network,
                                 fmt::join(checkpoint_steps(run), ", ")));
  return checkpoint;
}

// RUN/analysis/NAME (runs/NAME/analysis/... for zoo:NAME); the name includes the step and the
// control if they are not the usual ones.
fs::path output_directory(const AnalyzeOptions& options, Control control) {
  if (!options.out.empty()) return options.out;
  const fs::path run = options.network;
  if (!fs::exists(resolve_zoo(run) / "config.toml"))
    throw UsageError(
        fmt::format("{} is not a run directory; say where to write with --out", run.string()));
  std::string name = options.name;
  if (options.step) name += fmt::format("-step{}", *options.step);
  if (control != Control::none) name += "-" + std::string(to_name(control));
  return output_folder(run) / "analysis" / name;
}

// The network of step 0, if the run kept it.
std::optional<Subject> untrained(const fs::path& given) {
  const fs::path network = resolve_zoo(given);
  if (!fs::exists(network / "config.toml") || !fs::exists(checkpoint_path(network, 0))) return {};
  return load_subject(checkpoint_path(network, 0));
}

AnalysisResult run_with_progress(const AnalysisEntry& entry, const Subject& subject,
                                 const ConfigTable& set, ThreadPool& pool, Seed seed,
                                 const fs::path& network) {
  std::optional<ProgressBar> bar;
  std::string what;
  AnalysisContext context{.pool = pool, .seed = seed};
  context.progress = [&](std::size_t done, std::size_t total, std::string_view item) {
    if (!bar || what != item) {
      what = item;
      bar.emplace(what, static_cast<std::int64_t>(total));
      bar->update(0);
    }
    bar->update(static_cast<std::int64_t>(done));
  };
  const StopSignals signals;
  context.stop_requested = [&signals] { return signals.asked(); };
  context.load = load_subject;
  context.untrained = [&network] { return untrained(network); };
  return entry.run(subject, set, context);
}

// Output ------------------------------------------------------------------------------------------

std::string cell_text(const TableCell& cell) {
  if (const bool* b = std::get_if<bool>(&cell)) return *b ? "yes" : "no";
  if (const auto* i = std::get_if<std::int64_t>(&cell)) return std::to_string(*i);
  if (const double* d = std::get_if<double>(&cell)) return fmt::format("{:.4g}", *d);
  return std::get<std::string>(cell);
}

void print_table(const Table& table) {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    widths.push_back(table.columns[c].size());
    for (const auto& row : table.rows) widths[c] = std::max(widths[c], cell_text(row[c]).size());
  }
  const auto print = [&](const auto& cells, auto text) {
    std::string line;
    for (std::size_t c = 0; c < widths.size(); ++c)
      line += fmt::format("{:<{}}  ", text(cells[c]), widths[c]);
    fmt::print("{}\n", line.substr(0, line.find_last_not_of(' ') + 1));
  };
  fmt::print("\n{}\n", table.caption);
  print(table.columns, [](const std::string& s) { return s; });
  for (const auto& row : table.rows) print(row, cell_text);
}

// The files have everything; the terminal shows the headlines and the tables that fit on it.
void report(const AnalysisResult& result, const fs::path& directory, bool json) {
  if (json) {
    Json out = Json::parse(summary_json(result));
    out["directory"] = directory.string();
    fmt::print("{}\n", out.dump(2));
    return;
  }
  for (const auto& [key, value] : result.summary) fmt::print("{:<28} {}\n", key, cell_text(value));
  constexpr std::size_t most_rows = 24, most_columns = 10;
  for (const Table& table : result.tables)
    if (!table.rows.empty() && table.rows.size() <= most_rows &&
        table.columns.size() <= most_columns)
      print_table(table);
  fmt::print("\nwritten to {}\n", directory.string());
}

void print_list(const AnalyzeOptions& options) {
  if (options.json) {
    Json out = Json::array();
    for (const AnalysisEntry& entry : analyses()) {
      Json keys = Json::array();
      for (const FieldDoc& f : entry.document())
        keys.push_back(
            {{"key", f.key}, {"type", f.type}, {"default", f.fallback}, {"meaning", f.meaning}});
      out.push_back({{"name", entry.name}, {"meaning", entry.meaning}, {"options", keys}});
    }
    fmt::print("{}\n", out.dump(2));
    return;
  }
  for (const AnalysisEntry& entry : analyses())
    fmt::print("{:<16} {}\n", entry.name, entry.meaning);
}

void print_keys(const AnalysisEntry& entry) {
  fmt::print("{}: {}\n\n", entry.name, entry.meaning);
  for (const FieldDoc& f : entry.document())
    fmt::print("{:<20} {:<16} {}\n", f.key, f.fallback, f.meaning);
}

// lmrnn analyze --list [NAME]; a run before the name is ignored.
void list(const AnalyzeOptions& options) {
  if (!options.name.empty()) return print_keys(find_analysis(options.name));
  const auto named = std::ranges::find(analyses(), options.network, &AnalysisEntry::name);
  if (named != analyses().end()) return print_keys(*named);
  if (options.network.empty() || fs::exists(resolve_zoo(options.network)))
    return print_list(options);
  print_keys(find_analysis(options.network));
}

// Catches the wrong order: lmrnn analyze ring runs/x
void check_order(const AnalyzeOptions& options) {
  const bool named =
      std::ranges::find(analyses(), options.network, &AnalysisEntry::name) != analyses().end();
  if (named && !fs::exists(options.network) && fs::exists(options.name))
    throw UsageError(
        fmt::format("lmrnn analyze: the run comes first; did you mean lmrnn analyze {} {}?",
                    options.name, options.network));
}

void run_analyze(const AnalyzeOptions& options) {
  if (options.list) return list(options);
  if (options.network.empty() || options.name.empty())
    throw UsageError(
        "lmrnn analyze: give a run directory or network file and the name of an analysis; see "
        "lmrnn analyze --list");
  check_order(options);
  const AnalysisEntry& entry = find_analysis(options.name);
  Control control{};
  from_config({options.control, "--control"}, "control", control, Range{});
  const fs::path network = find_network(network_path(options));
  const fs::path directory = output_directory(options, control);
  require_place_for_analysis(directory, entry.name);
  const ConfigTable set = options.config.assigned({});
  const ConfigTable resolved = entry.resolve(set);
  Subject subject = load_subject(network);
  const Seed seed = options.seed ? *options.seed : subject.trained.seed;
  if (control != Control::none) subject = make_control(subject, control, seed);
  ThreadPool pool(options.n_threads);
  const AnalysisResult result = run_with_progress(entry, subject, set, pool, seed, options.network);
  write_analysis(directory, result, resolved, {entry.name, subject.step, control, seed},
                 options.latex);
  report(result, directory, options.json);
}

}  // namespace

void add_analyze(CLI::App& program) {
  const auto options = std::make_shared<AnalyzeOptions>();
  CLI::App* verb = add_verb(program, "analyze", "analyse a trained network",
                            "lmrnn analyze --list\n"
                            "lmrnn analyze --list fixed-points\n"
                            "lmrnn analyze runs/quickstart fixed-points --set 'tasks=dly*'\n"
                            "lmrnn analyze runs/quickstart ring --step 1500",
                            [options] { run_analyze(*options); });
  verb->add_option("network", options->network,
                   "run directory (newest checkpoint), network file or zoo:NAME")
      ->type_name("RUN|FILE|zoo:NAME");
  verb->add_option("name", options->name, "name of the analysis")->type_name("NAME");
  verb->add_flag("--list", options->list, "list all analyses, or the options of one");
  options->config.add_to(*verb, false);
  verb->add_option("--out", options->out,
                   "where to write; default RUN/analysis/NAME, runs/NAME/analysis/... for zoo:NAME")
      ->type_name("DIR");
  verb->add_option("--step", options->step, "use the checkpoint of this step instead of the newest")
      ->check(whole_number(0))
      ->type_name("N");
  verb->add_option("--control", options->control,
                   "analyse a control made from the network: none or shuffled-weights")
      ->type_name("NAME")
      ->capture_default_str();
  add_seed(*verb, options->seed, "seed of trials and random controls; default: the run's");
  verb->add_flag("--latex", options->latex, "also write every table as LaTeX");
  add_threads(*verb, options->n_threads);
  verb->add_flag("--json", options->json, "print the headline numbers as JSON");
}

}  // namespace lmrnn::cli
