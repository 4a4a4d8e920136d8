// lmrnn eval: scores of a trained network on held-out trials.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "common.hpp"
#include "lmrnn/evaluate.hpp"
#include "lmrnn/run.hpp"
#include "lmrnn/zoo.hpp"
#include "score_table.hpp"
#include "verbs.hpp"

namespace lmrnn::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct EvalOptions {
  std::string network, tasks, split = "test";
  std::optional<Seed> seed;
  std::size_t n_trials = 1000;
  double recurrent_noise = 0;
  bool in_stream = false, json = false;
  int n_threads = 0;
};

Split parse_split(const std::string& name) {
  Split split{};
  from_config({name, "--split"}, "split", split, Range{});
  return split;
}

// The battery to evaluate on, and which of its tasks. With one rule input per task, only trained
// tasks are possible; with composed rules, any task is.
struct Question {
  Battery battery;
  std::vector<std::size_t> tasks;
};

Question choose_tasks(const TrainedOn& trained, const std::string& expression) {
  BatteryConfig config = trained.battery;
  if (expression.empty()) return {Battery(config, trained.seed), {}};
  if (config.rule == RuleEncoding::composed) {
    config.tasks = expression;
    return {Battery(config, trained.seed), {}};
  }
  Question question{Battery(config, trained.seed), {}};
  std::vector<std::string> unknown;
  for (const Task& task : select_tasks(expression)) {
    const auto found = std::ranges::find(trained.tasks, task.name());
    if (found == trained.tasks.end())
      unknown.push_back(task.name());
    else
      question.tasks.push_back(static_cast<std::size_t>(found - trained.tasks.begin()));
  }
  if (question.tasks.empty())
    throw UsageError(
        fmt::format("--tasks {}: the network was trained on none of these; it knows {}", expression,
                    fmt::join(trained.tasks, ", ")));
  if (!unknown.empty())
    warn(fmt::format("left out, because the network has no rule input for them: {}",
                     fmt::join(unknown, ", ")));
  return question;
}

/// How rows were made in the run of a network file, RUN/checkpoints/step-N/network.safetensors.
StreamConfig rows_of_run(const fs::path& network) {
  const fs::path checkpoints = fs::absolute(network).parent_path().parent_path();
  if (checkpoints.filename() == "checkpoints" &&
      fs::exists(checkpoints.parent_path() / "config.toml"))
    return open_run(checkpoints.parent_path()).config.stream;
  throw UsageError(fmt::format(
      "{}: does not lie in a run, whose configuration says how its rows were made; give "
      "a run directory, or leave out --in-stream",
      network.string()));
}

/// Removes tasks without a trial, because they have no score.
void leave_out_undrawn(Evaluation& evaluation) {
  std::vector<std::string> undrawn;
  for (const TaskScore& task : evaluation.tasks)
    if (task.counts.trials == 0) undrawn.push_back(task.name);
  if (undrawn.empty()) return;
  const std::string why = fmt::format(
      "no whole trial was drawn of {} (battery.weights, or rows shorter than trials: "
      "stream.row_steps)",
      fmt::join(undrawn, ", "));
  if (undrawn.size() == evaluation.tasks.size())
    throw UsageError("--in-stream: " + why + "; leave it out, to score whole trials");
  std::erase_if(evaluation.tasks, [](const TaskScore& task) { return task.counts.trials == 0; });
  warn("left out, because " + why);
}

Evaluation evaluate_in_stream(const EvalOptions& options, const fs::path& file,
                              const Network& network, const Battery& battery, Seed seed,
                              Split split, ThreadPool& pool) {
  StreamConfig rows = rows_of_run(file);
  rows.trials_per_task = 0;
  std::vector<std::size_t> tasks(battery.tasks().size());
  std::iota(tasks.begin(), tasks.end(), std::size_t{0});
  // About as many trials as requested: a trial lasts 2 to 3 s.
  const double steps =
      static_cast<double>(options.n_trials * tasks.size()) * 2500 / battery.config().dt;
  const double n_batches = std::ceil(steps / static_cast<double>(rows.steps * rows.batch));
  const PackedStream stream(battery, rows, seed, split);
  Evaluation evaluation = evaluate_stream(network, stream, static_cast<std::uint32_t>(n_batches),
                                          ceilings(battery, tasks, seed, pool), pool);
  leave_out_undrawn(evaluation);
  return evaluation;
}

void run_eval(const EvalOptions& options) {
  const fs::path file = find_network(options.network);
  const LoadedNetwork loaded = load_network(file);
  const TrainedOn trained = trained_on(loaded.metadata, file);
  const Split split = parse_split(options.split);
  const Seed seed = options.seed ? *options.seed : trained.seed;
  const Question question = choose_tasks(trained, options.tasks);
  ThreadPool pool(options.n_threads);
  const Evaluation evaluation =
      options.in_stream
          ? evaluate_in_stream(options, file, loaded.network, question.battery, seed, split, pool)
          : Evaluator(question.battery, seed, split, options.n_trials, pool, question.tasks)
                .evaluate(loaded.network, pool, options.recurrent_noise);
  if (!options.json) {
    print_scores(evaluation, false);
    return;
  }
  Json out{{"network", file.string()},
           {"split", options.split},
           {"seed", seed.value},
           {"in_stream", options.in_stream},
           {"recurrent_noise", options.recurrent_noise}};
  out.update(to_json(evaluation));
  fmt::print("{}\n", out.dump(2));
}

}  // namespace

void add_eval(CLI::App& program) {
  const auto options = std::make_shared<EvalOptions>();
  CLI::App* verb = add_verb(program, "eval", "score a trained network on held-out trials",
                            "lmrnn eval runs/quickstart\n"
                            "lmrnn eval runs/quickstart --tasks 'dly*' --trials 5000 --json",
                            [options] { run_eval(*options); });
  verb->add_option("network", options->network,
                   "run directory (newest checkpoint), network file or zoo:NAME")
      ->required()
      ->type_name("RUN|FILE|zoo:NAME");
  CLI::Option* tasks = verb->add_option("--tasks", options->tasks,
                                        "tasks to score; default: those it was trained on")
                           ->type_name("EXPRESSION");
  verb->add_option("--trials", options->n_trials, "trials per task")
      ->check(whole_number(1))
      ->capture_default_str();
  verb->add_option("--split", options->split, "split of the trials: train, validation or test")
      ->type_name("NAME")
      ->capture_default_str();
  add_seed(*verb, options->seed, "seed of the trials; default: the run's");
  CLI::Option* noise = verb->add_option("--recurrent-noise", options->recurrent_noise,
                                        "standard deviation of noise inside f")
                           ->check(at_least_zero())
                           ->capture_default_str();
  verb->add_flag(
          "--in-stream", options->in_stream,
          "score trials within packed rows, where the state carries over from trial to trial")
      ->excludes(tasks)
      ->excludes(noise);
  add_threads(*verb, options->n_threads);
  verb->add_flag("--json", options->json, "as JSON");
}

}  // namespace lmrnn::cli
