// lmrnn train: starts a run from a configuration, or resumes one.
#include "lmrnn/train.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>

#include "common.hpp"
#include "cost_table.hpp"
#include "failure.hpp"
#include "launcher.hpp"
#include "lmrnn/mpi.hpp"
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
  bool dry_run = false, json = false, list_keys = false, alone = false;
  int n_threads = 0;
};

void check_file(const fs::path& file) {
  if (fs::exists(file / "config.toml"))
    throw UsageError(fmt::format("{} is a run directory; to resume it: lmrnn train --resume {}",
                                 file.string(), shell_word(file.string())));
  if (const fs::path longer = file.string() + ".toml"; !fs::exists(file) && fs::exists(longer))
    throw UsageError(
        fmt::format("{} does not exist; did you mean {}?", file.string(), longer.string()));
}

RunConfig read_config(const TrainOptions& options) {
  if (options.config_file.empty())
    throw UsageError(
        "lmrnn train: the configuration is missing; give a TOML file, or --resume DIR");
  check_file(options.config_file);
  ConfigTable table = options.config.table(options.config_file);
  if (options.seed)
    assign_key(table, "seed", {static_cast<std::int64_t>(options.seed->value), "--seed"});
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
  // The output is valid TOML: the estimate is in comments.
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
    fmt::print(stderr, "interrupted at step {}; to resume: lmrnn train --resume {}\n",
               trainer.step(), shell_word(directory));
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
             outcome == Outcome::criterion ? "ended by a criterion" : "done", trainer.step(),
             directory);
}

// Processes -----------------------------------------------------------------------------------

void run_training(const TrainOptions& options, Processes* processes) {
  const bool first = processes == nullptr || processes->rank() == 0;
  Trainer trainer = [&] {
    const TrainerOptions how{.n_threads = options.n_threads, .processes = processes};
    if (!options.resume.empty()) return Trainer::resume(options.resume, how);
    const RunConfig config = read_config(options);
    return Trainer::start(config, output_directory(options, config), how);
  }();
  for (const std::string& notice : trainer.notices()) warn(notice);
  if (first)
    fmt::print(stderr, "{} {}{}\n", options.resume.empty() ? "training in" : "resuming in",
               trainer.directory().string(),
               processes ? fmt::format(" with {} processes", processes->n()) : "");
  const Outcome outcome = train(trainer, !first);
  if (first) report(trainer, outcome, options.json);
  if (outcome == Outcome::interrupted) throw Unsuccessful{interrupted_status};
}

// The first process reports an error that all have; the others wait so that it has time to do so.
void leave_the_word_to_the_first(int rank) {
  if (rank > 0) std::this_thread::sleep_for(std::chrono::seconds(3));
}

// Tasks that cannot connect would each train the same network, in one directory.
[[noreturn]] void refuse(const Launch& launch, std::string_view why) {
  leave_the_word_to_the_first(launch.rank);
  if (launch.rank > 0) throw Unsuccessful{2};
  throw UsageError(
      fmt::format("{} started {} tasks, but {}; or set --alone if each task has its own --out",
                  launch.by, launch.n > 0 ? std::to_string(launch.n) : "several", why));
}

std::unique_ptr<Processes> connect(const Launch& launch) {
  if (mpi_library().empty())
    refuse(launch,
           "this lmrnn has no MPI: start one task, or build lmrnn with the preset mpi "
           "(docs: On a cluster)");
  // Otherwise Open MPI would end the program with a page about how to build Open MPI.
  if (mpi_library() == "Open MPI" && launch.by_srun && !launch.connects)
    refuse(launch,
           "without PMIx, which Open MPI needs: use srun --mpi=pmix (srun --mpi=list shows "
           "what this Slurm has), or mpirun");
  std::unique_ptr<Processes> processes = connect_processes();
  if (processes->n() == 1 && launch.n > 1)
    refuse(launch,
           fmt::format("this lmrnn's {} does not see them: use the launcher of the MPI that lmrnn "
                       "was built with",
                       mpi_library()));
  return processes;
}

// After an error in one process, the others would wait for it forever, so this ends all of them.
void run_together(const TrainOptions& options, const Launch& launch) {
  const std::unique_ptr<Processes> processes = connect(launch);
  try {
    run_training(options, processes->n() > 1 ? processes.get() : nullptr);
  } catch (const Unsuccessful&) {
    throw;  // all processes have stopped after the same step
  } catch (...) {
    const Failure failure = current_failure();
    const int rank = processes->rank();
    leave_the_word_to_the_first(rank);
    if (!failure.message.empty())
      say_error(rank == 0 ? failure.message
                          : fmt::format("lmrnn: process {} of {}: {}", rank, processes->n(),
                                        failure.message));
    std::fflush(stderr);
    processes->end_all(std::max(failure.status, 1));
  }
}

void run_train(const TrainOptions& options) {
  if (options.list_keys) return fmt::print("{}", config_reference());
  if (options.dry_run) return run_dry(options);
  const Launch launch = find_launch();
  if (options.alone || launch.n == 1) return run_training(options, nullptr);
  run_together(options, launch);
}

}  // namespace

void add_train(CLI::App& program) {
  const auto options = std::make_shared<TrainOptions>();
  CLI::App* verb =
      add_verb(program, "train", "train a network, or resume a run",
               "lmrnn train studies/quickstart.toml\n"
               "lmrnn train my.toml --seed 2 --set wiring.radius=3 --out runs/radius3\n"
               "lmrnn train --resume runs/radius3\n"
               "mpirun -n 2 lmrnn train my.toml",
               [options] { run_train(*options); });
  CLI::Option* config =
      verb->add_option("config", options->config_file, "TOML file of the configuration")
          ->type_name("CONFIG.toml");
  CLI::Option* out =
      verb->add_option("--out", options->out, "run directory; default runs/CONFIG-seedN")
          ->type_name("DIR");
  CLI::Option* seed = add_seed(*verb, options->seed, "seed; overrides the configuration");
  options->config.add_to(*verb, false);
  CLI::Option* set = verb->get_option("--set");
  CLI::Option* resume =
      verb->add_option("--resume", options->resume,
                       "resume the run in this directory (interrupted runs end with status 75)")
          ->type_name("DIR");
  for (CLI::Option* other : {config, out, seed, set}) resume->excludes(other);
  verb->add_flag(
      "--dry-run", options->dry_run,
      "show the resolved configuration, the memory and the time per step; write nothing");
  verb->add_flag("--list-keys", options->list_keys,
                 "list every key of a configuration as a Markdown table");
  add_threads(*verb, options->n_threads);
  verb->add_flag("--alone", options->alone,
                 "train in this process alone, even if mpirun or srun started several");
  verb->add_flag("--json", options->json, "as JSON");
}

}  // namespace lmrnn::cli
