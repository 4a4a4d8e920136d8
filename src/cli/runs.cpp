// lmrnn runs and lmrnn compare: what runs reached, and how they differ.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common.hpp"
#include "lmrnn/run.hpp"
#include "run_scores.hpp"
#include "verbs.hpp"

namespace lmrnn::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Flat = std::map<std::string, std::string>;

// Every key of a configuration, dotted, with its value as TOML.
void flatten(const ConfigTable& table, const std::string& prefix, Flat& out) {
  for (const auto& [key, value] : table) {
    const std::string name = prefix.empty() ? key : prefix + "." + key;
    if (const auto* inner = std::get_if<ConfigTable>(&value.value))
      flatten(*inner, name, out);
    else
      out[name] = to_toml({{"x", value}}).substr(4);
  }
}

struct Found {
  RunRecord record;
  RunScores scores;
  Flat config;

  std::string state() const { return record.done ? "done" : "not done"; }
};

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

Found look_at(const fs::path& directory) {
  const RunRecord record = open_run(directory);
  Found found{record, read_scores(record.directory), {}};
  flatten(write_config(found.record.config), "", found.config);
  for (auto& [key, value] : found.config) value = trimmed(value);
  // Of your own data, a battery says no more than how long a step is.
  if (!record.config.source.empty())
    std::erase_if(found.config, [](const auto& entry) {
      return entry.first.starts_with("battery.") && entry.first != "battery.dt";
    });
  return found;
}

// The run directories within a folder, at most two levels down (a study has its own in runs/).
std::vector<fs::path> find_runs(const fs::path& folder) {
  if (!fs::is_directory(folder))
    throw UsageError(
        fmt::format("{}: no such directory; give the directory that holds the runs (default: runs)",
                    folder.string()));
  std::vector<fs::path> found;
  for (auto entry =
           fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied);
       entry != fs::recursive_directory_iterator(); ++entry) {
    if (!entry->is_directory()) continue;
    if (fs::exists(entry->path() / "config.toml")) {
      found.push_back(entry->path());
      entry.disable_recursion_pending();
    } else if (entry.depth() >= 2) {
      entry.disable_recursion_pending();
    }
  }
  if (fs::exists(folder / "config.toml")) found.push_back(folder);
  std::ranges::sort(found);
  return found;
}

// Keys whose values differ between runs, seed first.
std::vector<std::string> differences(const std::vector<Found>& runs) {
  std::map<std::string, std::vector<std::string>> values;
  for (const Found& run : runs)
    for (const auto& [key, value] : run.config) values[key].push_back(value);
  std::vector<std::string> keys;
  for (const auto& [key, list] : values)
    if (list.size() != runs.size() ||
        std::ranges::any_of(list, [&](const std::string& v) { return v != list.front(); }))
      keys.push_back(key);
  std::ranges::stable_partition(keys, [](const std::string& key) { return key == "seed"; });
  return keys;
}

std::string value_of(const Found& run, const std::string& key) {
  const auto found = run.config.find(key);
  return found == run.config.end() ? "" : found->second;
}

// Shortens a text so that it fits into a table.
std::string shortened(const std::string& text, std::size_t most) {
  return text.size() <= most ? text : text.substr(0, most - 3) + "...";
}

void print_rows(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) line += fmt::format("{:<{}}  ", row[c], widths[c]);
    fmt::print("{}\n", trimmed(line));
  }
}

std::string percent(double share) {
  return fmt::format("{:.1f}%", 100 * share);
}

Json to_json(const Found& run) {
  Json config = Json::object();
  for (const auto& [key, value] : run.config) config[key] = value;
  return {{"run", run.record.directory.string()},
          {"done", run.record.done},
          {"step", run.scores.step},
          {"steps", run.record.config.train.steps},
          {"evaluated_step", run.scores.evaluated},
          {"mean_accuracy", run.scores.mean_accuracy()},
          {"mean_share_of_ceiling", run.scores.mean_share()},
          {"tasks_solved", run.scores.n_solved()},
          {"tasks", tasks_json(run.scores)},
          {"config", config}};
}

// runs ------------------------------------------------------------------------------------------

struct RunsOptions {
  std::string folder = "runs";
  bool json = false;
};

void run_runs(const RunsOptions& options) {
  std::vector<Found> runs;
  for (const fs::path& path : find_runs(options.folder)) {
    try {
      runs.push_back(look_at(path));
    } catch (const UsageError& error) {
      warn(fmt::format("left out: {}", error.what()));  // for example, a run of another version
    }
  }
  if (runs.empty())
    throw UsageError(fmt::format("{}: contains no run; lmrnn train CONFIG.toml makes one in runs/",
                                 options.folder));
  if (options.json) {
    Json list = Json::array();
    for (const Found& run : runs) list.push_back(to_json(run));
    fmt::print("{}\n", list.dump(2));
    return;
  }
  // With more columns, the table would be too wide to read.
  constexpr std::size_t most_keys = 6;
  std::vector<std::string> keys = differences(runs);
  const std::size_t n_keys = keys.size();
  keys.resize(std::min(n_keys, most_keys));
  std::vector<std::string> head = {"run", "state", "steps", "accuracy", "of ceiling", "solved"};
  head.insert(head.end(), keys.begin(), keys.end());
  std::vector<std::vector<std::string>> rows = {head};
  for (const Found& run : runs) {
    const RunScores& s = run.scores;
    const bool scored = s.evaluated >= 0;
    std::vector<std::string> row = {
        run.record.directory.string(),
        run.state(),
        fmt::format("{}/{}", s.step, run.record.config.train.steps),
        scored ? fmt::format("{:.4f}", s.mean_accuracy()) : "",
        scored ? percent(s.mean_share()) : "",
        scored ? fmt::format("{}/{}", s.n_solved(), s.tasks.size()) : ""};
    for (const std::string& key : keys) row.push_back(shortened(value_of(run, key), 28));
    rows.push_back(row);
  }
  print_rows(rows);
  if (n_keys > most_keys)
    fmt::print("\n{} more keys differ; lmrnn compare A B lists them for two runs\n",
               n_keys - most_keys);
}

// compare ---------------------------------------------------------------------------------------

struct CompareOptions {
  std::string a, b;
  bool json = false;
};

Json comparison(const Found& a, const Found& b) {
  Json keys = Json::array();
  for (const std::string& key : differences({a, b}))
    keys.push_back({{"key", key}, {"a", value_of(a, key)}, {"b", value_of(b, key)}});
  return {{"a", to_json(a)}, {"b", to_json(b)}, {"differences", keys}};
}

void print_tasks(const Found& a, const Found& b) {
  std::vector<std::vector<std::string>> rows = {
      {"task", "accuracy A", "accuracy B", "B - A", "ceiling", "chance", "solved"}};
  double sum_a = 0, sum_b = 0;  // over the tasks that both have
  int solved_a = 0, solved_b = 0;
  for (const TaskRow& left : a.scores.tasks) {
    const auto right = std::ranges::find(b.scores.tasks, left.task, &TaskRow::task);
    if (right == b.scores.tasks.end()) continue;
    sum_a += left.decision_accuracy;
    sum_b += right->decision_accuracy;
    solved_a += left.solved;
    solved_b += right->solved;
    const double chance = chance_of(left.task).value_or(0);
    // Batteries with other noise or durations have other ceilings.
    const std::string ceiling = fmt::format("{:.4f}", left.decision_ceiling),
                      ceiling_b = fmt::format("{:.4f}", right->decision_ceiling);
    rows.push_back({left.task, fmt::format("{:.4f}", left.decision_accuracy),
                    fmt::format("{:.4f}", right->decision_accuracy),
                    fmt::format("{:+.4f}", right->decision_accuracy - left.decision_accuracy),
                    ceiling == ceiling_b ? ceiling : ceiling + ", " + ceiling_b,
                    chance > 0 ? fmt::format("{:g}", chance) : "",
                    left.solved && right->solved ? "both"
                    : left.solved                ? "A"
                    : right->solved              ? "B"
                                                 : ""});
  }
  if (rows.size() == 1) return fmt::print("\nthe runs have no evaluated task in common\n");
  const auto n = static_cast<double>(rows.size() - 1);
  rows.push_back({fmt::format("mean of {:g}", n), fmt::format("{:.4f}", sum_a / n),
                  fmt::format("{:.4f}", sum_b / n), fmt::format("{:+.4f}", (sum_b - sum_a) / n), "",
                  "", fmt::format("A {}, B {}", solved_a, solved_b)});
  fmt::print("\n");
  print_rows(rows);
}

void run_compare(const CompareOptions& options) {
  const Found a = look_at(options.a), b = look_at(options.b);
  if (options.json) return fmt::print("{}\n", comparison(a, b).dump(2));
  std::vector<std::vector<std::string>> rows = {
      {"", "A", "B"},
      {"run", options.a, options.b},
      {"state", a.state(), b.state()},
      {"steps", std::to_string(a.scores.step), std::to_string(b.scores.step)}};
  for (const std::string& key : differences({a, b}))
    rows.push_back({key, shortened(value_of(a, key), 48), shortened(value_of(b, key), 48)});
  print_rows(rows);
  print_tasks(a, b);
  fmt::print(
      "\nOne run each is weak evidence; lmrnn study init makes a study with several seeds.\n");
}

}  // namespace

void add_runs(CLI::App& program) {
  const auto options = std::make_shared<RunsOptions>();
  CLI::App* verb =
      add_verb(program, "runs", "list runs with their scores and differences",
               "lmrnn runs\nlmrnn runs runs/e4-small --json", [options] { run_runs(*options); });
  verb->add_option("folder", options->folder, "directory that holds the runs")
      ->type_name("DIR")
      ->capture_default_str();
  verb->add_flag("--json", options->json, "as JSON");
}

void add_compare(CLI::App& program) {
  const auto options = std::make_shared<CompareOptions>();
  CLI::App* verb =
      add_verb(program, "compare", "compare two runs: configuration and scores by task",
               "lmrnn compare runs/local runs/dense", [options] { run_compare(*options); });
  verb->add_option("a", options->a, "first run directory")->required()->type_name("RUN");
  verb->add_option("b", options->b, "second run directory")->required()->type_name("RUN");
  verb->add_flag("--json", options->json, "as JSON");
}

}  // namespace lmrnn::cli
