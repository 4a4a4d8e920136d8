// lmrnn tasks: list, show, sample, verify, ceiling.
#include "lmrnn/tasks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "battery_options.hpp"
#include "common.hpp"
#include "draw_trial.hpp"
#include "lmrnn/ceiling.hpp"
#include "lmrnn/golden.hpp"
#include "lmrnn/streams.hpp"
#include "lmrnn/threads.hpp"
#include "progress.hpp"
#include "verbs.hpp"

namespace lmrnn::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string joined(std::span<const std::string> words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

// list ----------------------------------------------------------------------------------------

struct ListOptions {
  std::string tasks = "modcog132";
  bool names = false, json = false;
};

std::string_view direction_name(std::int8_t direction) {
  return direction > 0 ? "r" : direction < 0 ? "l" : "none";
}

void run_list(const ListOptions& options) {
  const std::vector<Task> tasks = select_tasks(options.tasks);
  if (options.json) {
    Json list = Json::array();
    for (const Task& task : tasks)
      list.push_back({{"name", task.name()},
                      {"base", task.base_task().name},
                      {"family", family_name(task.base_task().family)},
                      {"int", direction_name(task.interval)},
                      {"seq", direction_name(task.sequence)},
                      {"in_published_code", task.in_published_code()}});
    fmt::print("{}\n", list.dump(2));
    return;
  }
  if (!options.names)
    fmt::print("{:<20} {:<12} {:<17} {:<5} {:<5} {}\n", "name", "base", "family", "int", "seq",
               "in published code");
  for (const Task& task : tasks)
    if (options.names)
      fmt::print("{}\n", task.name());
    else
      fmt::print("{:<20} {:<12} {:<17} {:<5} {:<5} {}\n", task.name(), task.base_task().name,
                 family_name(task.base_task().family), direction_name(task.interval),
                 direction_name(task.sequence), task.in_published_code() ? "yes" : "no");
}

void add_list(CLI::App& tasks) {
  const auto options = std::make_shared<ListOptions>();
  CLI::App* verb = add_verb(tasks, "list", "list tasks",
                            "lmrnn tasks list --collection cog20\n"
                            "lmrnn tasks list --tasks 'dly*,!*seql' --names",
                            [options] { run_list(*options); });
  verb->add_option(
          "--tasks,--collection", options->tasks,
          "names, globs, !exclusions, comma-separated; or one of " + joined(collection_names()))
      ->type_name("EXPRESSION")
      ->capture_default_str();
  verb->add_flag("--names", options->names, "print only the names, one per line");
  verb->add_flag("--json", options->json, "as JSON");
}

// show ----------------------------------------------------------------------------------------

struct ShowOptions {
  std::string name;
  BatteryOptions battery;
  SeedOption seed;
  std::size_t trial = 0;
};

void run_show(const ShowOptions& options) {
  BatteryConfig config = options.battery.battery();
  config.tasks = parse_task(options.name).name();
  const Seed seed = options.seed.seed();
  const Battery battery(config, seed);
  const TrialBatch trials = draw_trials(battery, 0, 1, seed, Split::train, options.trial);
  fmt::print("{}\n{}\n{}\ntarget: {}\n", describe_task(battery, 0),
             draw_trial(battery, trials, 0, std::min<std::size_t>(terminal_width(stdout), 120)),
             conditions_text(battery, 0, trials.conditions[0]), target_text(battery, trials, 0));
}

void add_show(CLI::App& tasks) {
  const auto options = std::make_shared<ShowOptions>();
  CLI::App* verb = add_verb(tasks, "show", "describe a task and draw one of its trials",
                            "lmrnn tasks show dlygointr\n"
                            "lmrnn tasks show dmc --semantics published --seed 1 --trial 3",
                            [options] { run_show(*options); });
  verb->add_option("task", options->name, "name of a task")->required()->type_name("TASK");
  options->seed.add_to(*verb);
  verb->add_option("--trial", options->trial, "number of the trial")
      ->check(whole_number(0))
      ->capture_default_str();
  options->battery.add_to(*verb, false);
}

// verify --------------------------------------------------------------------------------------

struct VerifyOptions {
  std::vector<std::string> files;
  std::string semantics = "published";
  ConfigOptions config;
};

void run_verify(const VerifyOptions& options) {
  ConfigTable table = options.config.file();
  assign_key(table, "battery.semantics",
             {ConfigTable{{"base", {options.semantics, "--semantics"}}}, "--semantics"});
  const auto battery = options.config.section<BatteryConfig>("battery", table);
  VerifyResult result;
  for (const std::string& file : options.files) result += verify_golden(file, battery.semantics);
  constexpr std::size_t n_shown = 20;
  for (std::size_t i = 0; i < std::min(n_shown, result.messages.size()); ++i)
    fmt::print(stderr, "{}\n", result.messages[i]);
  if (result.messages.size() > n_shown)
    fmt::print(stderr, "... and {} more\n", result.messages.size() - n_shown);
  fmt::print("{} trials, {} mismatches, max |error| {:.1e}\n", result.n_trials, result.n_mismatches,
             result.max_abs_error);
  if (!result.passed()) throw Unsuccessful();
}

void add_verify(CLI::App& tasks) {
  const auto options = std::make_shared<VerifyOptions>();
  CLI::App* verb =
      add_verb(tasks, "verify",
               "compose the trials of reference files again and compare; exit status 1 "
               "unless all of them match",
               "lmrnn tasks verify tests/golden/*.jsonl --semantics published",
               [options] { run_verify(*options); });
  verb->add_option("files", options->files, "reference trials, one JSON object per line")
      ->required()
      ->type_name("FILE...");
  verb->add_option("--semantics", options->semantics, "corrected or published")
      ->type_name("NAME")
      ->capture_default_str();
  options->config.add_to(*verb, false);
}

// ceiling -------------------------------------------------------------------------------------

struct CeilingOptions {
  BatteryOptions battery;
  SeedOption seed;
  std::size_t n_trials = 20000;
  int n_threads = 0;
  bool json = false;
};

std::vector<Ceiling> compute_ceilings(const Battery& battery, Seed seed,
                                      const CeilingOptions& options) {
  std::vector<std::size_t> all(battery.tasks().size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  ThreadPool pool(options.n_threads);
  std::optional<ProgressBar> bar;
  return ceilings(battery, all, seed, pool, options.n_trials,
                  [&](std::size_t done, std::size_t total) {
                    if (!bar) bar.emplace("ceiling", static_cast<std::int64_t>(total));
                    bar->update(static_cast<std::int64_t>(done));
                  });
}

void print_ceilings(const Battery& battery, std::span<const Ceiling> ceilings) {
  fmt::print("{:<20} {:>17} {:>9} {:>17} {:>9}\n", "task", "decision accuracy", "+-",
             "trial accuracy", "+-");
  double decision = 0, trial = 0;
  const auto error_text = [](double error) {
    return error == 0     ? std::string("exact")
           : error < 5e-6 ? std::string("<0.00001")
                          : fmt::format("{:.5f}", error);
  };
  for (std::size_t i = 0; i < ceilings.size(); ++i) {
    const Ceiling& c = ceilings[i];
    fmt::print("{:<20} {:>17.5f} {:>9} {:>17.5f} {:>9}\n", battery.tasks()[i].name(),
               c.decision_accuracy.value, error_text(c.decision_accuracy.standard_error),
               c.trial_accuracy.value, error_text(c.trial_accuracy.standard_error));
    decision += c.decision_accuracy.value / static_cast<double>(ceilings.size());
    trial += c.trial_accuracy.value / static_cast<double>(ceilings.size());
  }
  fmt::print("{:<20} {:>17.5f} {:>9} {:>17.5f}\n", fmt::format("mean of {} tasks", ceilings.size()),
             decision, "", trial);
}

void run_ceiling(const CeilingOptions& options) {
  const Seed seed = options.seed.seed();
  const Battery battery(options.battery.battery(), seed);
  const std::vector<Ceiling> ceilings = compute_ceilings(battery, seed, options);
  if (!options.json) return print_ceilings(battery, ceilings);
  const auto score = [](const Score& s) {
    return Json{{"value", s.value}, {"standard_error", s.standard_error}};
  };
  Json tasks = Json::array();
  for (std::size_t i = 0; i < ceilings.size(); ++i)
    tasks.push_back({{"task", battery.tasks()[i].name()},
                     {"decision_accuracy", score(ceilings[i].decision_accuracy)},
                     {"trial_accuracy", score(ceilings[i].trial_accuracy)}});
  const Json out = {{"semantics", to_name(battery.config().semantics.base)},
                    {"seed", seed.value},
                    {"n_trials", options.n_trials},
                    {"tasks", tasks}};
  fmt::print("{}\n", out.dump(2));
}

void add_ceiling(CLI::App& tasks) {
  const auto options = std::make_shared<CeilingOptions>();
  CLI::App* verb =
      add_verb(tasks, "ceiling", "score of an ideal observer, per task",
               "lmrnn tasks ceiling --tasks cog20 --seed 1\n"
               "lmrnn tasks ceiling --tasks modcog126 --semantics published --seed 1 --json",
               [options] { run_ceiling(*options); });
  options->battery.add_to(*verb);
  options->seed.add_to(*verb);
  verb->add_option("--trials", options->n_trials,
                   "simulated trials per task, for tasks without a closed form")
      ->check(whole_number(1))
      ->capture_default_str();
  add_threads(*verb, options->n_threads);
  verb->add_flag("--json", options->json, "as JSON");
}

}  // namespace

void add_tasks(CLI::App& program) {
  CLI::App* tasks =
      add_verb(program, "tasks", "the task battery: list, show, sample, verify, ceiling",
               "lmrnn tasks show dlygointr");
  tasks->require_subcommand(1);
  add_list(*tasks);
  add_show(*tasks);
  add_sample(*tasks);
  add_verify(*tasks);
  add_ceiling(*tasks);
}

}  // namespace lmrnn::cli
