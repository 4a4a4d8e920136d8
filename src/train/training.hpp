// The training of one run: steps, evaluations, rows and checkpoints, until it ends.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lmrnn/train.hpp"
#include "train/checkpoint.hpp"
#include "train/curriculum.hpp"
#include "train/learner.hpp"
#include "train/run_directory.hpp"
#include "train/step_table.hpp"

namespace lmrnn {

/// The parts of a run.
struct RunSetup {
  RunConfig config;
  std::filesystem::path directory;
  Battery battery;
  int n_threads;
  std::shared_ptr<const BatchSource> source;  ///< nullptr: the battery's packed stream
  Processes* processes;                       ///< nullptr: only this process
  const CeilingFunction& ceilings;
  FromFiles known{};  ///< of a resumed run, from its checkpoint

  /// Whether this process is the one that writes files.
  bool writes() const noexcept { return processes == nullptr || processes->rank() == 0; }
};

class Training {
 public:
  /// Starts from the weights of `network`. Calls `take_directory` for the lock, with the number of
  /// threads, when nothing else can fail any more.
  Training(RunSetup setup, const std::function<Network()>& network, std::int64_t first_step,
           const std::function<RunLock(int)>& take_directory);

  /// Continues from `state`; the network must be that of the same checkpoint.
  void restore(TrainingState state);

  Outcome run(const TrainerCallbacks& callbacks);

  RunConfig config;
  std::filesystem::path directory;
  Battery battery;
  TrainingState state;
  std::vector<std::string> notices;
  std::optional<Evaluation> evaluation;  ///< the last one

  /// The evaluated and saved network: the weights, or their running average.
  const Network& result() { return learner_.result(); }
  const Sheet& sheet() const noexcept { return learner_.sheet(); }
  int n_threads() const noexcept { return pool_.n_threads(); }
  bool writes() const noexcept { return files_.has_value(); }

 private:
  using Clock = std::chrono::steady_clock;

  /// What only the writing process has.
  struct Files {
    RunLock lock;
    StepTable metrics, tasks;

    Files(RunLock held, const std::filesystem::path& run, std::int64_t first_step);
  };

  /// An evaluator of the battery; nothing if the data are the program's own.
  std::optional<Evaluator> make_evaluator(std::int64_t n_trials, const CeilingFunction& ceilings);
  /// Number of evaluation trials per task at the current step.
  std::int64_t trials_per_task() const noexcept;
  NetworkMetadata describe_data() const;
  std::shared_ptr<const BatchSource> training_data() const;
  Outcome run_session(const TrainerCallbacks& callbacks);
  Outcome train(const TrainerCallbacks& callbacks);
  void step();
  void evaluate();
  bool criterion_met() const;
  bool at_plateau() const;
  bool open_ended() const noexcept { return config.schedule.kind == ScheduleKind::open_ended; }
  std::int64_t last_step() const noexcept;  ///< the last step, as things stand
  std::int64_t latest_cooldown() const noexcept;
  void begin_cooldown() noexcept;
  void adapt();  ///< adapts drawing to the last evaluation
  void look_at_criteria();
  bool stop_requested(const TrainerCallbacks& callbacks) const;
  void write_rows(bool evaluated);
  void save();
  void report(const TrainerCallbacks& callbacks, bool evaluated) const;
  void finish(Outcome outcome);
  /// `what` is a sentence that says what is not finite. Names the last good checkpoint and the
  /// remedy.
  [[noreturn]] void diverged(std::string_view what) const;
  bool due(std::int64_t every) const { return every > 0 && state.step % every == 0; }
  double seconds() const;  ///< of training, all sessions

  std::shared_ptr<const BatchSource> source_;
  std::shared_ptr<CurriculumSource> curriculum_;  ///< nullptr without a curriculum
  Processes* processes_;
  ThreadPool pool_;
  std::optional<Evaluator> evaluator_;
  Learner learner_;
  std::optional<Files> files_;
  NetworkMetadata metadata_;

  double seconds_before_ = 0;  // of earlier sessions
  Clock::time_point session_start_ = Clock::now();
  double session_processor_start_ = 0;
  std::int64_t session_steps_ = 0, session_evaluations_ = 0;
  double stepping_seconds_ = 0, evaluating_seconds_ = 0;
  std::optional<std::string> complaint_;  // about the untrained network
  double last_loss_ = std::numeric_limits<double>::quiet_NaN();
};

}  // namespace lmrnn
