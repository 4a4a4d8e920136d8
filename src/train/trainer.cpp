#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "lmrnn/files.hpp"
#include "lmrnn/run.hpp"
#include "lmrnn/simd.hpp"
#include "lmrnn/train.hpp"
#include "train/checkpoint.hpp"
#include "train/csv.hpp"
#include "train/learner.hpp"
#include "train/run_directory.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::string_view metrics_header =
    "step,trials,seconds,learning_rate,loss,gradient_norm,clipped_share,mean_accuracy,"
    "mean_trial_accuracy,mean_share_of_ceiling,worst_share_of_ceiling,tasks_reached,tasks_solved";
constexpr std::string_view tasks_header =
    "step,task,trials,decision_accuracy,decision_lower,decision_ceiling,share_of_ceiling,"
    "trial_accuracy,trial_lower,trial_ceiling,reached,solved";

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// The network of a checkpoint. Its file does not say how the weights were stored and multiplied;
// that is the run's choice, and other choices round differently.
Network load_for_training(const fs::path& checkpoint, const RunConfig& config) {
  LoadedNetwork loaded = load_network(checkpoint / "network.safetensors");
  Architecture architecture = loaded.network.architecture();
  architecture.representation = config.network.representation;
  Network network(std::move(architecture));
  const std::span<const float> from = std::as_const(loaded.network).parameters();
  std::copy(from.begin(), from.end(), network.parameters().begin());
  network.weights_changed();
  return network;
}

Network initial_network(const RunConfig& config, const Battery& battery,
                        const BatchSource* source) {
  return source != nullptr ? make_network(config, source->shape()) : make_network(config, battery);
}

// The data are those that the configuration names.
void check_source(const RunConfig& config, const BatchSource* source) {
  const std::string name = source == nullptr ? "" : source->name();
  if (name == config.source) return;
  if (source == nullptr)
    throw UsageError(
        fmt::format("source = \"{}\": these data come from a program of one's own (in "
                    "Python: data=...), which must bring them along",
                    config.source));
  throw UsageError(fmt::format("source = \"{}\", but the data that were brought along are \"{}\"",
                               config.source, name));
}

bool all_finite(std::span<const float> values) {
  float sum = 0;  // finite times 0 is 0, anything else is NaN
  for (const float x : values) sum += x * 0.0f;
  return sum == 0.0f;
}

/// Whether this process is the one that writes files.
bool writes(const Processes* processes) {
  return processes == nullptr || processes->rank() == 0;
}

std::vector<std::uint8_t> collect(const Evaluation& evaluation, bool TaskScore::*member) {
  std::vector<std::uint8_t> flags;
  for (const TaskScore& task : evaluation.tasks) flags.push_back(task.*member ? 1 : 0);
  return flags;
}

}  // namespace

struct Trainer::Implementation {
  /// What only the process that writes has.
  struct Files {
    RunLock lock;
    StepTable metrics, tasks;

    Files(RunLock held, const fs::path& run, std::int64_t first_step)
        : lock(std::move(held)),
          metrics(run / "metrics.csv", metrics_header, first_step),
          tasks(run / "tasks.csv", tasks_header, first_step) {}
  };

  RunConfig config;
  fs::path directory;
  Battery battery;
  std::shared_ptr<const BatchSource> source;  // nullptr: the battery's packed stream
  Processes* processes;
  ThreadPool pool;
  std::optional<Evaluator> evaluator;  // of the battery
  Learner learner;
  std::optional<Files> files;
  TrainingState state;
  NetworkMetadata metadata;
  std::vector<std::string> notices;
  std::optional<Evaluation> evaluation;

  double seconds_before = 0;  // of earlier sessions
  Clock::time_point session_start = Clock::now();
  std::int64_t session_steps = 0, session_evaluations = 0;
  double stepping_seconds = 0, evaluating_seconds = 0;
  double last_loss = std::numeric_limits<double>::quiet_NaN();

  Implementation(const RunConfig& c, fs::path dir, const Battery& b, int n_threads,
                 std::shared_ptr<const BatchSource> own, Processes* others,
                 const CeilingsOf& ceilings_of, const std::function<Network()>& network,
                 std::int64_t first_step, const std::function<RunLock(int)>& take_directory)
      : config(c),
        directory(std::move(dir)),
        battery(b),
        source(std::move(own)),
        processes(others),
        pool(n_threads),
        evaluator(make_evaluator(ceilings_of)),
        learner(config, source ? source : packed_source(config, battery), network(), first_step,
                pool, others),
        metadata(describe_data()) {
    state.step = first_step;
    if (!writes(processes)) return;
    RunLock lock = take_directory(pool.n_threads());
    files.emplace(std::move(lock), directory, first_step);
    if (const auto cells = split_row(files->metrics.last_row()); cells.size() > 2)
      seconds_before = std::strtod(cells[2].c_str(), nullptr);
  }

  std::optional<Evaluator> make_evaluator(const CeilingsOf& ceilings_of);
  NetworkMetadata describe_data() const;
  Outcome run(const TrainerCallbacks& callbacks);
  Outcome train(const TrainerCallbacks& callbacks);
  void step();
  void evaluate();
  bool criterion_met() const;
  bool stop_requested(const TrainerCallbacks& callbacks) const;
  void write_metrics(bool evaluated);
  void append_metrics(bool evaluated);
  void save();
  void report(const TrainerCallbacks& callbacks, bool evaluated) const;
  void finish(Outcome outcome);
  [[noreturn]] void diverged(std::string_view what, double value) const;
  bool due(std::int64_t every) const { return every > 0 && state.step % every == 0; }
};

void Trainer::Implementation::diverged(std::string_view what, double value) const {
  const auto steps = checkpoint_steps(directory);
  throw Diverged(fmt::format(
      "{}: training diverged: {} is {} at step {}; the last good checkpoint is {}; start again "
      "with a "
      "smaller optimiser.learning_rate or optimiser.clip",
      directory.string(), what, value, state.step + 1,
      steps.empty() ? std::string("missing") : checkpoint_path(directory, steps.back()).string()));
}

void Trainer::Implementation::step() {
  const auto start = Clock::now();
  const StepResult result = learner.step();
  if (!result.finite()) {
    const bool loss = !std::isfinite(result.loss);
    diverged(loss ? "the loss" : "the norm of the gradient",
             loss ? result.loss : result.gradient_norm);
  }
  ++state.step;
  state.trials += result.trials;
  ++state.interval_steps;
  state.interval_clipped += result.clipped ? 1 : 0;
  state.interval_loss += result.loss;
  state.interval_norm += result.gradient_norm;
  last_loss = result.loss;
  stepping_seconds += seconds_since(start);
  ++session_steps;
}

std::optional<Evaluator> Trainer::Implementation::make_evaluator(const CeilingsOf& ceilings_of) {
  if (source) return std::nullopt;
  return Evaluator(battery, config.evaluation_seed(), config.evaluation.split,
                   static_cast<std::size_t>(config.evaluation.trials), pool, {}, ceilings_of);
}

NetworkMetadata Trainer::Implementation::describe_data() const {
  if (!source) return describe_training(battery, config.wiring, config.run_seed());
  return {{"source", source->name()},
          {"tasks", fmt::format("{}", fmt::join(source->tasks(), ","))},
          {"wiring", to_toml(write_config(config.wiring))},
          {"seed", std::to_string(config.run_seed().value)}};
}

// As many rows of the program's own data as there would be trials of a battery.
std::uint32_t held_out_batches(const RunConfig& config, const BatchSource& source) {
  const auto rows = config.evaluation.trials * static_cast<std::int64_t>(source.tasks().size());
  return static_cast<std::uint32_t>((rows + config.stream.batch - 1) / config.stream.batch);
}

void Trainer::Implementation::evaluate() {
  const auto start = Clock::now();
  evaluation =
      source ? evaluate_source(learner.network(), *source, config.stream, config.evaluation.split,
                               held_out_batches(config, *source), pool)
             : evaluator->evaluate(learner.network(), pool);
  mark_solved(*evaluation, state.reached);
  evaluating_seconds += seconds_since(start);
  ++session_evaluations;
}

bool Trainer::Implementation::criterion_met() const {
  const TrainConfig& stop = config.train;
  if (!stop.stop_mean && !stop.stop_worst && !stop.stop_solved) return false;
  return (!stop.stop_mean || evaluation->mean_share_of_ceiling() >= *stop.stop_mean) &&
         (!stop.stop_worst || evaluation->worst_share_of_ceiling() >= *stop.stop_worst) &&
         (!stop.stop_solved ||
          static_cast<std::int64_t>(evaluation->n_solved()) >= *stop.stop_solved);
}

void Trainer::Implementation::write_metrics(bool evaluated) {
  if (files) append_metrics(evaluated);
  state.interval_steps = state.interval_clipped = 0;
  state.interval_loss = state.interval_norm = 0;
}

void Trainer::Implementation::append_metrics(bool evaluated) {
  const double n = static_cast<double>(state.interval_steps);
  const double rate = config.optimiser.learning_rate *
                      schedule_factor(config.schedule, state.step - 1, config.train.steps);
  std::string row =
      fmt::format("{},{},{:.3f},{:.9g},{:.9g},{:.9g},{:.9g}", state.step, state.trials,
                  seconds_before + seconds_since(session_start), rate, state.interval_loss / n,
                  state.interval_norm / n, static_cast<double>(state.interval_clipped) / n);
  if (evaluated) {
    const Evaluation& e = *evaluation;
    row += fmt::format(",{:.6f},{:.6f},{:.6f},{:.6f},{},{}", e.mean_accuracy(),
                       e.mean_trial_accuracy(), e.mean_share_of_ceiling(),
                       e.worst_share_of_ceiling(), e.n_reached(), e.n_solved());
    for (const TaskScore& t : e.tasks)
      files->tasks.append(
          fmt::format("{},{},{},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{:d},{:d}",
                      state.step, t.name, t.counts.trials, t.decision_accuracy, t.decision_lower,
                      t.ceiling.decision_accuracy.value, t.share_of_ceiling, t.trial_accuracy,
                      t.trial_lower, t.ceiling.trial_accuracy.value, t.reached, t.solved));
  } else {
    row += ",,,,,,";
  }
  files->metrics.append(row);
}

void Trainer::Implementation::save() {
  // A bad update shows in the weights before it shows in a loss; such weights are never kept.
  if (!all_finite(learner.network().parameters())) diverged("a weight", std::nan(""));
  if (!files) return;
  state.first_moment = learner.optimiser().first_moment();
  state.second_moment = learner.optimiser().second_moment();
  files->metrics.sync();  // a checkpoint never survives without the rows before it
  files->tasks.sync();
  metadata["step"] = std::to_string(state.step);
  save_checkpoint(checkpoint_path(directory, state.step), learner.network(), metadata, state);
  prune_checkpoints(directory, config.checkpoint.keep_last, config.checkpoint.keep_every);
}

void Trainer::Implementation::report(const TrainerCallbacks& callbacks, bool evaluated) const {
  if (!callbacks.progress) return;
  Progress p;
  p.step = state.step;
  p.n_steps = config.train.steps;
  p.loss = last_loss;
  p.evaluated_now = evaluated;
  if (evaluation) p.evaluation = &*evaluation;
  if (session_steps > 0) {
    p.seconds_per_step = stepping_seconds / static_cast<double>(session_steps);
    const std::int64_t left = p.n_steps - p.step;
    p.seconds_left = p.seconds_per_step * static_cast<double>(left);
    if (session_evaluations > 0 && config.evaluation.every > 0)
      p.seconds_left += evaluating_seconds / static_cast<double>(session_evaluations) *
                        static_cast<double>(left) / static_cast<double>(config.evaluation.every);
  }
  callbacks.progress(p);
}

// All processes must stop after the same step, whichever of them was told to.
bool Trainer::Implementation::stop_requested(const TrainerCallbacks& callbacks) const {
  const bool here = callbacks.stop_requested && callbacks.stop_requested();
  return processes ? processes->any(here) : here;
}

Outcome Trainer::Implementation::train(const TrainerCallbacks& callbacks) {
  if (state.criterion_met) return Outcome::criterion;
  while (state.step < config.train.steps) {
    step();
    const bool last = state.step == config.train.steps;
    const bool evaluates = last || due(config.evaluation.every);
    if (evaluates) {
      evaluate();
      state.reached = collect(*evaluation, &TaskScore::reached);
      state.solved = collect(*evaluation, &TaskScore::solved);
      state.criterion_met = criterion_met();
    }
    if (evaluates || due(config.train.log_every)) write_metrics(evaluates);
    const bool stops = stop_requested(callbacks) && !last && !state.criterion_met;
    if (last || state.criterion_met || stops || due(config.checkpoint.every)) save();
    report(callbacks, evaluates);
    if (state.criterion_met && !last) return Outcome::criterion;
    if (stops) return Outcome::interrupted;
  }
  return Outcome::finished;
}

void Trainer::Implementation::finish(Outcome outcome) {
  if (!evaluation) {
    // Resumed from the very last checkpoint: the evaluation was made and written, but is not in
    // memory. The same trials give the same scores again.
    evaluate();
    for (std::size_t i = 0; i < evaluation->tasks.size() && i < state.solved.size(); ++i)
      evaluation->tasks[i].solved = state.solved[i] != 0;
  }
  if (!files) return;
  const nlohmann::ordered_json summary{
      {"outcome", std::string(to_name(outcome))},
      {"steps", state.step},
      {"trials", state.trials},
      {"seconds", seconds_before + seconds_since(session_start)},
      {"mean_accuracy", evaluation->mean_accuracy()},
      {"mean_trial_accuracy", evaluation->mean_trial_accuracy()},
      {"mean_share_of_ceiling", evaluation->mean_share_of_ceiling()},
      {"worst_share_of_ceiling", evaluation->worst_share_of_ceiling()},
      {"tasks", evaluation->tasks.size()},
      {"tasks_solved", evaluation->n_solved()}};
  write_file(directory / "DONE", summary.dump(2) + "\n");
}

Outcome Trainer::Implementation::run(const TrainerCallbacks& callbacks) {
  session_start = Clock::now();
  // The initial weights: something good to fall back on, and what pruning rewinds to.
  if (files && checkpoint_steps(directory).empty()) save();
  const Outcome outcome = train(callbacks);
  if (outcome != Outcome::interrupted) finish(outcome);
  return outcome;
}

Trainer::Trainer(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
Trainer::~Trainer() = default;
Trainer::Trainer(Trainer&&) noexcept = default;
Trainer& Trainer::operator=(Trainer&&) noexcept = default;

Trainer Trainer::start(const RunConfig& config_in, const fs::path& directory, int n_threads,
                       std::shared_ptr<const BatchSource> source, Processes* processes,
                       const CeilingsOf& ceilings_of) {
  RunConfig config = config_in;
  if (source && config.source.empty()) config.source = source->name();
  check_config(config);
  check_source(config, source.get());
  if (writes(processes)) require_unused(directory);
  choose_simd(config.simd);
  const Battery battery(config.battery, config.run_seed());
  Trainer trainer(std::make_unique<Implementation>(
      config, directory, battery, n_threads, source, processes, ceilings_of,
      [&] { return initial_network(config, battery, source.get()); }, 0,
      [&](int n) { return create_run(directory, config, n); }));
  const auto warning = warning_of_short_rows(config.stream, battery);
  if (warning && !source && writes(processes)) trainer.implementation_->notices.push_back(*warning);
  return trainer;
}

Trainer Trainer::resume(const fs::path& directory, int n_threads,
                        std::shared_ptr<const BatchSource> source, Processes* processes,
                        const CeilingsOf& ceilings_of) {
  const RunRecord record = open_run(directory);
  if (record.done)
    throw UsageError(
        fmt::format("{}: the run is done; there is nothing to resume", directory.string()));
  std::optional<RunLock> lock;
  if (writes(processes)) {
    lock.emplace(directory);
    remove_unfinished_files(directory);
  }
  choose_simd(record.config.simd);
  const RunConfig& config = record.config;
  check_source(config, source.get());
  const Battery battery(config.battery, config.run_seed());
  const auto take_lock = [&](int) { return std::move(*lock); };
  const auto continued = [&](Trainer trainer, std::int64_t step) {
    Implementation& self = *trainer.implementation_;
    if (self.files) self.notices = add_session(directory, step, self.pool.n_threads());
    return trainer;
  };
  // Asked again now that the lock is ours. A run killed before its first checkpoint begins anew.
  const std::vector<std::int64_t> steps = checkpoint_steps(directory);
  if (steps.empty())
    return continued(
        Trainer(std::make_unique<Implementation>(
            config, directory, battery, n_threads, source, processes, ceilings_of,
            [&] { return initial_network(config, battery, source.get()); }, 0, take_lock)),
        0);
  const fs::path checkpoint = checkpoint_path(directory, steps.back());
  Network network = load_for_training(checkpoint, config);
  const bool adam = config.optimiser.kind == OptimiserKind::adam;
  const std::size_t n_tasks = source ? source->tasks().size() : battery.tasks().size();
  TrainingState state = load_state(checkpoint, network.layout().total, n_tasks, adam);
  Trainer trainer(std::make_unique<Implementation>(
      config, directory, battery, n_threads, source, processes, ceilings_of,
      [&] { return std::move(network); }, steps.back(), take_lock));
  Implementation& self = *trainer.implementation_;
  self.learner.optimiser().first_moment() = state.first_moment;
  self.learner.optimiser().second_moment() = state.second_moment;
  self.state = std::move(state);
  return continued(std::move(trainer), self.state.step);
}

Outcome Trainer::run(const TrainerCallbacks& callbacks) {
  return implementation_->run(callbacks);
}
const RunConfig& Trainer::config() const noexcept {
  return implementation_->config;
}
const Battery& Trainer::battery() const noexcept {
  return implementation_->battery;
}
const Network& Trainer::network() const noexcept {
  return implementation_->learner.network();
}
const fs::path& Trainer::directory() const noexcept {
  return implementation_->directory;
}
std::int64_t Trainer::step() const noexcept {
  return implementation_->state.step;
}
const std::optional<Evaluation>& Trainer::last_evaluation() const noexcept {
  return implementation_->evaluation;
}
const std::vector<std::string>& Trainer::notices() const noexcept {
  return implementation_->notices;
}

}  // namespace lmrnn
