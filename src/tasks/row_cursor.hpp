// The trials of one row of a stream, one after the other.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "lmrnn/streams.hpp"
#include "tasks/battery_data.hpp"

namespace lmrnn {

/// The parts of a stream that its rows need.
struct StreamPlan {
  const BatteryData* battery;
  StreamConfig config;
  Seed seed;
  Split split;

  bool carries_on() const noexcept { return config.mode == StreamMode::carry_on; }
  bool is_finite() const noexcept { return config.trials_per_task > 0; }
  /// Whether a row's batch depends on the batches before it.
  bool has_history() const noexcept { return carries_on() || is_finite(); }
};

/// The tasks of the trials of one row; ask for them in order.
class TaskOrder {
 public:
  /// `key`: the row (its stream is set here).
  void start(const Key& key) noexcept;

  std::size_t next(const BatteryData& battery) noexcept;

 private:
  std::uint32_t word() noexcept;

  Key key_{};
  std::uint32_t n_words_ = 0;
  std::array<std::uint32_t, 4> block_{};
  std::int64_t last_ = -1;
};

/// A position in a row: between two trials, or within one.
class RowCursor {
 public:
  RowCursor(const StreamPlan& plan, std::uint32_t row);

  /// Goes to the beginning of batch `batch`. If batches depend on earlier ones, the cursor must
  /// have passed all of those: `batch` == next_batch().
  void begin_batch(std::uint32_t batch);
  /// Call it when the batch has been walked to its end.
  void end_batch() noexcept { next_batch_ = batch_ + 1; }
  /// n_batches_most between begin_batch and end_batch: if an exception stopped the cursor within a
  /// batch, it is not at the beginning of any batch.
  std::uint32_t next_batch() const noexcept { return next_batch_; }

  /// Begins the next trial if the cursor is between trials.
  void enter_trial();
  /// Passes `steps` steps of the trial.
  void advance(std::int32_t steps) noexcept;

  std::size_t task() const noexcept { return task_; }
  const TrialOutline& outline() const noexcept { return outline_; }
  std::int32_t step() const noexcept { return step_; }  ///< of the trial: the next step

  /// Finite data sets: the key of the trial's own noise, which is the same at every visit.
  Key trial_noise() const noexcept { return trial_noise_; }

 private:
  void draw_trial();

  const StreamPlan* plan_;
  std::uint32_t row_;
  std::uint32_t batch_ = 0, next_batch_ = 0;
  Key place_{};  ///< conditions of the trials of the row
  TaskOrder order_;
  std::uint32_t n_trials_ = 0;         ///< trials begun at this place
  std::vector<std::uint32_t> visits_;  ///< trials of each task so far
  std::size_t task_ = 0;
  TrialOutline outline_;
  std::int32_t step_ = 0;
  Key trial_noise_{};
};

}  // namespace lmrnn
