// lmrnn train: a run from a configuration, or the rest of one.
#include "lmrnn/train.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <thread>

#include "common.hpp"
#include "cost_table.hpp"
#include "lmrnn/run.hpp"
#include "progress.hpp"
#include "score_table.hpp"
#include "stop_signals.hpp"
#include "verbs.hpp"

namespace lmrnn::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct TrainOptions {
  std::string config_file, out, resume;
  std::optional<Seed> seed;
  ConfigOptions config;
  bool dry_run = false, json = false, list_keys = false;
  int n_threads = 0;
};

void check_file(const fs::path& file) {
  if (fs::exists(file / "config.toml"))
    throw UsageError(fmt::format("{} is a run directory; go on with it: lmrnn train --resume {}",
                                 file.string(), file.string()));
  if (const fs::path longer = file.string() + ".toml"; !fs::exists(file) && fs::exists(longer))
    throw UsageError(
        fmt::format("{} does not exist; did you mean {}?", file.string(), longer.string()));
}

RunConfig read_config(const TrainOptions& options) {
  if (options.config_file.empty())
    throw UsageError("lmrnn train: which configuration? Give a TOML file, or --resume DIR");
  check_file(options.config_file);
  ConfigTable table = options.config.table(options.config_file);
  if (options.seed)
    assign(table, "seed", {static_cast<std::int64_t>(options.seed->value), "--seed"});
  return resolve_config(table);
}

fs::path output_directory(const TrainOptions& options, const RunConfig& config) {
  if (!options.out.empty()) return options.out;
  const std::string name = fs::path(options.config_file).stem().string();
  return fs::path("runs") / fmt::format("{}-seed{}", name, config.run_seed().value);
}

// --dry-run -----------------------------------------------------------------------------------

std::string bytes_text(double bytes) {
  return bytes < 1e9 ? fmt::format("{:.1f} MB", bytes / 1e6)
                     : fmt::format("{:.2f} GB", bytes / 1e9);
}

Json to_json(const RunEstimate& e) {
  return {{"tasks", e.n_tasks},
          {"units", e.n_units},
          {"synapses", e.n_synapses},
          {"parameters", e.n_parameters},
          {"parts", cli::to_json(std::span<const CostRow>(e.costs))},
          {"block_rows", e.block_rows},
          {"blocks", e.n_blocks},
          {"bytes_parameters", e.memory.bytes_parameters},
          {"bytes_activations", e.memory.bytes_activations},
          {"bytes_batches", e.memory.bytes_batches},
          {"measured_steps", e.measured_steps},
          {"seconds_per_step", e.seconds_per_step},
          {"seconds_training", e.seconds_training}};
}

void print_estimate(const RunConfig& config, const RunEstimate& e) {
  fmt::print("# {} tasks, {} units, {} synapses\n\n", e.n_tasks, e.n_units, e.n_synapses);
  fmt::print("{}\n", cost_text(e.costs, "# "));
  fmt::print("# memory: {} activations, {} batches, {} parameters and optimiser\n",
             bytes_text(e.memory.bytes_activations), bytes_text(e.memory.bytes_batches),
             bytes_text(e.memory.bytes_parameters));
  fmt::print(
      "# time: {:.4f} s per step ({} blocks of {} rows; measured over {} steps), {} for all "
      "{} steps without evaluations\n",
      e.seconds_per_step, e.n_blocks, e.block_rows, e.measured_steps,
      duration_text(e.seconds_training), config.train.steps);
}

void run_dry(const TrainOptions& options) {
  const RunConfig config =
      options.resume.empty() ? read_config(options) : open_run(options.resume).config;
  const RunEstimate estimate = estimate_run(config, options.n_threads);
  for (const std::string& notice : estimate.notices) warn(notice);
  if (options.json) {
    Json out = to_json(estimate);
    out["config"] = to_toml(write_config(config));
    fmt::print("{}\n", out.dump(2));
    return;
  }
  // Valid TOML as a whole: the estimate is in comments.
  fmt::print("{}\n", to_toml(write_config(config)));
  print_estimate(config, estimate);
}

// Training ------------------------------------------------------------------------------------

std::string note(const Progress& p) {
  std::string text = fmt::format("loss {:.4f}  {:.1f} steps/s", p.loss, 1 / p.seconds_per_step);
  if (p.evaluation != nullptr)
    text += fmt::format("  accuracy {:.3f} ({:.1f}% of ceiling)  solved {}/{}",
                        p.evaluation->mean_accuracy(), 100 * p.evaluation->mean_share_of_ceiling(),
                        p.evaluation->n_solved(), p.evaluation->tasks.size());
  return text;
}

Outcome train(Trainer& trainer, bool quiet) {
  ProgressBar bar("step", trainer.config().train.steps);
  TrainerCallbacks callbacks;
  if (!quiet)
    callbacks.progress = [&bar](const Progress& p) {
      bar.update(p.step, note(p), p.seconds_left, p.evaluated_now);
    };
  const StopSignals signals;
  callbacks.stop_requested = [&signals] { return signals.asked(); };
  return trainer.run(callbacks);
}

void report(const Trainer& trainer, Outcome outcome, bool json) {
  const std::string directory = trainer.directory().string();
  if (outcome == Outcome::interrupted) {
    fmt::print(stderr, "interrupted at step {}; go on with: lmrnn train --resume {}\n",
               trainer.step(), directory);
    return;
  }
  const Evaluation& evaluation = *trainer.last_evaluation();
  if (json) {
    Json out = cli::to_json(evaluation);
    out["outcome"] = to_name(outcome);
    out["steps"] = trainer.step();
    out["run"] = directory;
    fmt::print("{}\n", out.dump(2));
    return;
  }
  print_scores(evaluation, true);
  fmt::print("{} after {} steps; run directory: {}\n",
             outcome == Outcome::criterion ? "criterion met" : "done", trainer.step(), directory);
}

// Processes -----------------------------------------------------------------------------------

// How many processes mpirun (Open MPI) or srun (through PMI) has started; 1 without them.
int n_started_together() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"})
    if (const char* n = std::getenv(name)) return std::atoi(n);
  return 1;
}

void run_training(const TrainOptions& options, Processes* processes) {
  const bool first = processes == nullptr || processes->rank() == 0;
  Trainer trainer = [&] {
    if (!options.resume.empty())
      return Trainer::resume(options.resume, options.n_threads, nullptr, processes);
    const RunConfig config = read_config(options);
    return Trainer::start(config, output_directory(options, config), options.n_threads, nullptr,
                          processes);
  }();
  for (const std::string& notice : trainer.notices()) warn(notice);
  if (first)
    fmt::print(stderr, "{} {}{}\n", options.resume.empty() ? "training in" : "going on in",
               trainer.directory().string(),
               processes ? fmt::format(" with {} processes", processes->n()) : "");
  const Outcome outcome = train(trainer, !first);
  if (first) report(trainer, outcome, options.json);
  if (outcome == Outcome::interrupted) throw Unsuccessful{interrupted_status};
}

// An error in one process would leave the others waiting for it for ever.
void run_together(const TrainOptions& options) {
  const std::unique_ptr<Processes> processes = connect_processes();
  if (!processes)
    throw UsageError(
        "several processes were started, but this lmrnn has no MPI; build it with the preset mpi");
  try {
    run_training(options, processes.get());
  } catch (const Error& error) {
    // What is wrong for all is said by the first; the others leave it the time to do so.
    if (processes->rank() > 0) std::this_thread::sleep_for(std::chrono::seconds(3));
    fmt::print(stderr, "lmrnn: {}\n", error.what());
    std::fflush(stderr);
    processes->end_all(dynamic_cast<const UsageError*>(&error) ? 2 : 1);
  }
}

void run_train(const TrainOptions& options) {
  if (options.list_keys) return fmt::print("{}", config_reference());
  if (options.dry_run) return run_dry(options);
  if (n_started_together() > 1) return run_together(options);
  run_training(options, nullptr);
}

}  // namespace

void add_train(CLI::App& program) {
  const auto options = std::make_shared<TrainOptions>();
  CLI::App* verb =
      add_verb(program, "train", "train a network, or go on training one",
               "lmrnn train studies/quickstart.toml\n"
               "lmrnn train my.toml --seed 2 --set wiring.radius=3 --out runs/radius3\n"
               "lmrnn train --resume runs/radius3\n"
               "mpirun -n 2 lmrnn train my.toml",
               [options] { run_train(*options); });
  CLI::Option* config = verb->add_option("config", options->config_file, "the configuration")
                            ->type_name("CONFIG.toml");
  CLI::Option* out =
      verb->add_option("--out", options->out, "run directory; default runs/CONFIG-seedN")
          ->type_name("DIR");
  CLI::Option* seed = add_seed(*verb, options->seed, "seed, over the configuration's");
  options->config.add_to(*verb, false);
  CLI::Option* set = verb->get_option("--set");
  CLI::Option* resume =
      verb->add_option("--resume", options->resume,
                       "go on with the run in this directory (interrupted ones end with status 75)")
          ->type_name("DIR");
  for (CLI::Option* other : {config, out, seed, set}) resume->excludes(other);
  verb->add_flag("--dry-run", options->dry_run,
                 "show the resolved configuration, memory and time per step; write nothing");
  verb->add_flag("--list-keys", options->list_keys,
                 "list every key of a configuration as a Markdown table");
  add_threads(*verb, options->n_threads);
  verb->add_flag("--json", options->json, "as JSON");
}

}  // namespace lmrnn::cli
