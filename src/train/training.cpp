#include "train/training.hpp"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/shared/csv.hpp"
#include "core/shared/text.hpp"
#include "lmrnn/continuous.hpp"
#include "lmrnn/files.hpp"
#include "lmrnn/run.hpp"
#include "lmrnn/run_tables.hpp"
#include "lmrnn/simd.hpp"
#include "train/synapse_terms.hpp"
#include "train/untrained.hpp"

namespace lmrnn {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Processor time of all threads of this process.
double processor_seconds() {
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

bool all_finite(std::span<const float> values) {
  float sum = 0;  // finite times 0 is 0, anything else is NaN
  for (const float x : values) sum += x * 0.0f;
  return sum == 0.0f;
}

std::vector<std::uint8_t> collect(const Evaluation& evaluation, bool TaskScore::*member) {
  std::vector<std::uint8_t> flags;
  for (const TaskScore& task : evaluation.tasks) flags.push_back(task.*member ? 1 : 0);
  return flags;
}

MetricsRow metrics_row(const TrainingState& state, double seconds, double learning_rate,
                       const Evaluation* evaluation) {
  const double n = static_cast<double>(state.interval_steps);
  MetricsRow row{.step = state.step,
                 .trials = state.trials,
                 .seconds = seconds,
                 .learning_rate = learning_rate,
                 .loss = state.interval_loss / n,
                 .gradient_norm = state.interval_norm / n,
                 .clipped_share = static_cast<double>(state.interval_clipped) / n};
  if (evaluation == nullptr) return row;
  row.mean_accuracy = evaluation->mean_accuracy();
  row.mean_trial_accuracy = evaluation->mean_trial_accuracy();
  row.mean_share_of_ceiling = evaluation->mean_share_of_ceiling();
  row.worst_share_of_ceiling = evaluation->worst_share_of_ceiling();
  row.tasks_passed = static_cast<std::int64_t>(evaluation->n_passed());
  row.tasks_solved = static_cast<std::int64_t>(evaluation->n_solved());
  return row;
}

/// Header lines that earlier versions wrote.
template <class Row>
std::vector<std::string> former_headers() {
  return {csv_header<Row>(CsvColumns::before_additions), csv_header<Row>(CsvColumns::former)};
}

TaskRow task_row(std::int64_t step, const TaskScore& score) {
  return {.step = step,
          .task = score.name,
          .trials = score.counts.trials,
          .decision_accuracy = score.decision_accuracy,
          .decision_lower = score.decision_lower,
          .decision_ceiling = score.ceiling.decision_accuracy.value,
          .share_of_ceiling = score.share_of_ceiling,
          .trial_accuracy = score.trial_accuracy,
          .trial_lower = score.trial_lower,
          .trial_ceiling = score.ceiling.trial_accuracy.value,
          .passed = score.passed,
          .solved = score.solved};
}

// As many rows of the program's own data as a battery would have trials.
std::uint32_t held_out_batches(std::int64_t n_trials, const RunConfig& config,
                               const BatchSource& source) {
  const auto rows = n_trials * static_cast<std::int64_t>(source.tasks().size());
  return static_cast<std::uint32_t>((rows + config.stream.batch - 1) / config.stream.batch);
}

}  // namespace

Training::Files::Files(RunLock held, const std::filesystem::path& run, std::int64_t first_step)
    : lock(std::move(held)),
      metrics(run / "metrics.csv", csv_header<MetricsRow>(), former_headers<MetricsRow>(),
              first_step),
      tasks(run / "tasks.csv", csv_header<TaskRow>(), former_headers<TaskRow>(), first_step) {}

Training::Training(RunSetup setup, const std::function<Network()>& network, std::int64_t first_step,
                   const std::function<RunLock(int)>& take_directory)
    : config(setup.config),
      directory(setup.directory),
      battery(setup.battery),
      source_(setup.source),
      curriculum_(config.curriculum.empty() ? nullptr : std::make_shared<CurriculumSource>(config)),
      processes_(setup.processes),
      pool_(setup.n_threads),
      evaluator_(make_evaluator(config.evaluation.trials, setup.ceilings)),
      learner_(config, training_data(), network(), first_step, pool_, processes_,
               std::move(setup.known)),
      metadata_(describe_data()) {
  state.step = first_step;
  // Before the directory is made, because all processes that train together take part.
  if (first_step == 0)
    complaint_ = complaint_about_untrained(config, learner_, learner_.look_ahead());
  if (!setup.writes()) return;
  if (complaint_ && learner_.look_ahead().finite()) notices.push_back(*complaint_);
  RunLock lock = take_directory(pool_.n_threads());
  files_.emplace(std::move(lock), directory, first_step);
  if (const std::string& last = files_->metrics.last_row(); !last.empty())
    seconds_before_ = CsvReader<MetricsRow>(csv_header<MetricsRow>(), "put the file back")
                          .read(last, (directory / "metrics.csv").string())
                          .seconds;
}

std::shared_ptr<const BatchSource> Training::training_data() const {
  if (source_) return source_;
  if (curriculum_) return curriculum_;
  return packed_source(config, battery);
}

void Training::restore(TrainingState restored) {
  learner_.optimiser().first_moment() = restored.first_moment;
  learner_.optimiser().second_moment() = restored.second_moment;
  if (config.train.average > 0) learner_.set_weights(restored.weights);
  if (restored.cooldown_from >= 0) learner_.begin_cooldown(restored.cooldown_from);
  state = std::move(restored);
  if (config.curriculum.adaptive <= 0 || state.passed.empty()) return;  // not evaluated yet
  curriculum_->adapt(state.task_shares);
  learner_.refill();
}

double Training::seconds() const {
  return seconds_before_ + seconds_since(session_start_);
}

void Training::diverged(std::string_view what) const {
  const auto steps = checkpoint_steps(directory);
  const OptimiserConfig& o = config.optimiser;
  const std::string clip = o.clip > 0 ? fmt::format("optimiser.clip (now {})", o.clip)
                                      : std::string("with optimiser.clip = 1 (now 0: no clipping)");
  throw Diverged(fmt::format(
      "{}: training diverged: {} at step {}; the last good checkpoint is {}; start again with a "
      "smaller optimiser.learning_rate (now {}) or {}",
      directory.string(), what, state.step + 1,
      steps.empty() ? std::string("missing") : checkpoint_path(directory, steps.back()).string(),
      o.learning_rate, clip));
}

void Training::step() {
  const auto start = Clock::now();
  const SimdScope simd(config.simd);
  const StepResult result = learner_.step();
  if (result.overflows)
    diverged(fmt::format("the norm of the gradient is {:.3g}, too large for single precision",
                         result.gradient_norm));
  if (!result.finite()) {
    const bool loss = !std::isfinite(result.loss);
    const double value = loss ? result.loss : result.gradient_norm;
    diverged(fmt::format("{} is {}", loss ? "the loss" : "the norm of the gradient",
                         std::isnan(value) ? "not a number" : "infinite"));
  }
  ++state.step;
  state.trials += result.trials;
  ++state.interval_steps;
  state.interval_clipped += result.clipped ? 1 : 0;
  state.interval_loss += result.loss;
  state.interval_norm += result.gradient_norm;
  last_loss_ = result.loss;
  stepping_seconds_ += seconds_since(start);
  ++session_steps_;
}

std::optional<Evaluator> Training::make_evaluator(std::int64_t n_trials,
                                                  const CeilingFunction& ceilings) {
  if (source_) return std::nullopt;
  return Evaluator(battery, config.evaluation_seed(), config.evaluation.split,
                   static_cast<std::size_t>(n_trials), pool_, {}, ceilings);
}

std::int64_t Training::trials_per_task() const noexcept {
  const EvaluationConfig& e = config.evaluation;
  // If a cool-down begins at this step, it began after the evaluation, which did not know of it.
  const bool begins = state.cooldown_from >= 0 && state.cooldown_from == state.step;
  const std::int64_t end = begins ? config.train.steps : last_step();
  return state.step + e.every >= end ? e.final_trials.value_or(e.trials) : e.trials;
}

NetworkMetadata Training::describe_data() const {
  const Sheet& sheet = learner_.sheet();
  if (!source_) return describe_training(battery, config.wiring, config.run_seed(), sheet);
  NetworkMetadata metadata{{"source", source_->name()},
                           {"tasks", fmt::format("{}", fmt::join(source_->tasks(), ","))},
                           {"wiring", to_toml(write_config(config.wiring))},
                           {"seed", std::to_string(config.run_seed().value)}};
  if (sheet.coordinates) metadata["coordinates"] = coordinates_text(sheet);
  if (const ContinuousSource* numbers = continuous(*source_))
    metadata["targets"] =
        fmt::format("continuous, scored with a tolerance of {}", numbers->tolerance());
  return metadata;
}

void Training::evaluate() {
  const auto start = Clock::now();
  const SimdScope simd(config.simd);
  const std::int64_t n_trials = trials_per_task();
  if (evaluator_ && evaluator_->n_trials() != static_cast<std::size_t>(n_trials)) {
    const std::vector<Ceiling> known(evaluator_->ceilings().begin(), evaluator_->ceilings().end());
    evaluator_ = make_evaluator(n_trials, [&](auto&&...) { return known; });
  }
  evaluation =
      source_ ? evaluate_source(learner_.result(), *source_, config.stream, config.evaluation.split,
                                held_out_batches(n_trials, config, *source_), pool_)
              : evaluator_->evaluate(learner_.result(), pool_);
  mark_solved(*evaluation, state.passed);
  evaluating_seconds_ += seconds_since(start);
  ++session_evaluations_;
}

bool Training::criterion_met() const {
  const TrainConfig& stop = config.train;
  if (!stop.stop_mean && !stop.stop_worst && !stop.stop_solved && !stop.stop_plateau) return false;
  return (!stop.stop_mean || evaluation->mean_share_of_ceiling() >= *stop.stop_mean) &&
         (!stop.stop_worst || evaluation->worst_share_of_ceiling() >= *stop.stop_worst) &&
         (!stop.stop_solved ||
          evaluation->n_solved() >= stop.stop_solved->of(evaluation->tasks.size())) &&
         (!stop.stop_plateau || at_plateau());
}

// Whether the gain since three quarters of the steps so far is below stop_plateau. False after only
// a few evaluations: before it learns, every network is at a plateau.
bool Training::at_plateau() const {
  constexpr std::size_t fewest = 8;
  const std::vector<std::int64_t>& steps = state.evaluated_at;
  if (steps.size() < fewest) return false;
  const auto after = std::ranges::upper_bound(steps, state.step * 3 / 4);
  return state.shares.back() - state.shares[static_cast<std::size_t>(after - steps.begin()) - 1] <
         *config.train.stop_plateau;
}

std::int64_t Training::last_step() const noexcept {
  if (state.cooldown_from < 0) return config.train.steps;
  return end_of_cooldown(config.schedule, state.cooldown_from, config.train.steps);
}

// Called after an evaluation. If the criteria hold, they end the training, or begin the cool-down
// that ends it.
void Training::look_at_criteria() {
  if (config.train.stop_plateau) {
    state.evaluated_at.push_back(state.step);
    state.shares.push_back(evaluation->mean_share_of_ceiling());
  }
  if (!open_ended())
    state.criterion_met = criterion_met();
  else if (criterion_met())
    begin_cooldown();
}

// The step after which an open-ended schedule begins to cool down even if no criterion holds.
std::int64_t Training::latest_cooldown() const noexcept {
  const double share = 1 - config.schedule.cooldown;
  return static_cast<std::int64_t>(std::ceil(share * static_cast<double>(config.train.steps)));
}

void Training::begin_cooldown() noexcept {
  if (!open_ended() || state.cooldown_from >= 0) return;
  state.cooldown_from = state.step;
  learner_.begin_cooldown(state.step);
}

// Makes the next step's data again: they were made during the last step, before the evaluation.
void Training::adapt() {
  if (config.curriculum.adaptive <= 0) return;
  state.task_shares.clear();
  for (const TaskScore& task : evaluation->tasks)
    state.task_shares.push_back(task.share_of_ceiling);
  const SimdScope simd(config.simd);
  curriculum_->adapt(state.task_shares);
  learner_.refill();
}

void Training::write_rows(bool evaluated) {
  if (files_) {
    // A cool-down that begins with this evaluation takes effect in the next step.
    const std::int64_t cooldown_from = state.cooldown_from < state.step ? state.cooldown_from : -1;
    const double rate =
        config.optimiser.learning_rate *
        schedule_factor(config.schedule, state.step - 1, config.train.steps, cooldown_from);
    if (evaluated)
      for (const TaskScore& score : evaluation->tasks)
        files_->tasks.append(csv_line(task_row(state.step, score)));
    MetricsRow row = metrics_row(state, seconds(), rate, evaluated ? &*evaluation : nullptr);
    if (evaluated && config.wiring.has_wire_lengths())
      row.wire = wire_of(learner_.result(), config, learner_.sheet());
    files_->metrics.append(csv_line(row));
  }
  state.interval_steps = state.interval_clipped = 0;
  state.interval_loss = state.interval_norm = 0;
}

void Training::save() {
  // A bad update shows in the weights before it shows in a loss; such weights must not be saved.
  const Network& trained = learner_.network();
  if (!all_finite(trained.parameters())) diverged("a weight is not finite");
  if (!files_) return;
  state.first_moment = learner_.optimiser().first_moment();
  state.second_moment = learner_.optimiser().second_moment();
  state.gains = learner_.gains().state();
  if (config.train.average > 0)
    state.weights.assign(trained.parameters().begin(), trained.parameters().end());
  files_->metrics.sync();  // so that the rows before a checkpoint survive if it does
  files_->tasks.sync();
  metadata_["step"] = std::to_string(state.step);
  save_checkpoint(checkpoint_path(directory, state.step), learner_.result(), metadata_, state);
  prune_checkpoints(directory, config.checkpoint.keep_last, config.checkpoint.keep_every);
  record_session_times(directory, seconds_since(session_start_),
                       processor_seconds() - session_processor_start_);
}

void Training::report(const TrainerCallbacks& callbacks, bool evaluated) const {
  if (!callbacks.progress) return;
  Progress p;
  p.step = state.step;
  p.n_steps = last_step();
  p.loss = last_loss_;
  p.evaluated_now = evaluated;
  if (evaluation) p.evaluation = &*evaluation;
  if (session_steps_ > 0) {
    p.seconds_per_step = stepping_seconds_ / static_cast<double>(session_steps_);
    const std::int64_t left = p.n_steps - p.step;
    p.seconds_left = p.seconds_per_step * static_cast<double>(left);
    if (session_evaluations_ > 0 && config.evaluation.every > 0)
      p.seconds_left += evaluating_seconds_ / static_cast<double>(session_evaluations_) *
                        static_cast<double>(left) / static_cast<double>(config.evaluation.every);
  }
  callbacks.progress(p);
}

// All processes must stop after the same step, whichever of them received the request.
bool Training::stop_requested(const TrainerCallbacks& callbacks) const {
  const bool here = callbacks.stop_requested && callbacks.stop_requested();
  return processes_ ? processes_->any(here) : here;
}

Outcome Training::train(const TrainerCallbacks& callbacks) {
  if (state.criterion_met) return Outcome::criterion;
  while (state.step < last_step()) {
    if (state.step == latest_cooldown()) begin_cooldown();
    step();
    bool last = state.step == last_step();
    const bool evaluates = last || due(config.evaluation.every);
    if (evaluates) {
      evaluate();
      state.passed = collect(*evaluation, &TaskScore::passed);
      state.solved = collect(*evaluation, &TaskScore::solved);
      look_at_criteria();
      adapt();
      last = state.step == last_step();
    }
    if (evaluates || due(config.train.log_every)) write_rows(evaluates);
    const bool saves = last || state.criterion_met || due(config.checkpoint.every) ||
                       due(config.checkpoint.keep_every);
    if (saves) save();
    report(callbacks, evaluates);
    if (last) break;
    if (state.criterion_met) return Outcome::criterion;
    // Asked after the report, so that no further step follows a request made in its callback.
    if (!stop_requested(callbacks)) continue;
    if (!saves) save();
    return Outcome::interrupted;
  }
  return state.step < config.train.steps ? Outcome::criterion : Outcome::finished;
}

void Training::finish(Outcome outcome) {
  if (!evaluation) {
    // Resumed from the very last checkpoint: the evaluation was made and written, but is not in
    // memory. The same trials give the same scores.
    evaluate();
    for (std::size_t i = 0; i < evaluation->tasks.size() && i < state.solved.size(); ++i)
      evaluation->tasks[i].solved = state.solved[i] != 0;
  }
  if (!files_) return;
  const nlohmann::ordered_json summary{
      {"outcome", std::string(to_name(outcome))},
      {"steps", state.step},
      {"trials", state.trials},
      {"seconds", seconds()},
      {"mean_accuracy", evaluation->mean_accuracy()},
      {"mean_trial_accuracy", evaluation->mean_trial_accuracy()},
      {"mean_share_of_ceiling", evaluation->mean_share_of_ceiling()},
      {"worst_share_of_ceiling", evaluation->worst_share_of_ceiling()},
      {"tasks", evaluation->tasks.size()},
      {"tasks_solved", evaluation->n_solved()}};
  write_file(directory / "DONE", summary.dump(2) + "\n");
}

Outcome Training::run(const TrainerCallbacks& callbacks) {
  try {
    return run_session(callbacks);
  } catch (const Error&) {
    // If the whole directory is gone, say so, whichever file could not be written first.
    std::error_code error;
    if (!files_ || std::filesystem::exists(directory, error)) throw;
    throw RunError(fmt::format(
        "{}: is not there any more; it was moved or deleted while it was trained in. Move "
        "it back (or use its new place) and resume from its last checkpoint",
        directory.string()));
  }
}

Outcome Training::run_session(const TrainerCallbacks& callbacks) {
  session_start_ = Clock::now();
  session_processor_start_ = processor_seconds();
  // Saves the initial weights: a checkpoint to fall back on, and what pruning rewinds to.
  if (files_ && checkpoint_steps(directory).empty()) save();
  if (complaint_ && state.step == 0 && !learner_.look_ahead().finite())
    throw Diverged(fmt::format("{}: {}", directory.string(), *complaint_));
  const Outcome outcome = train(callbacks);
  if (outcome != Outcome::interrupted) finish(outcome);
  return outcome;
}

}  // namespace lmrnn
