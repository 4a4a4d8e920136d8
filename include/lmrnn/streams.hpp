// Trials in bulk: packed streams for training, trial batches for evaluation and export.
//
// Every number is a function of (seed, split, batch, row): rows may be filled in any order by any
// number of threads. Splits never share a trial's key.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "lmrnn/tasks.hpp"
#include "lmrnn/trials.hpp"

namespace lmrnn {

enum class StreamMode { restart, carry_on };
constexpr std::array<std::pair<std::string_view, StreamMode>, 2> enum_names(StreamMode) {
  return {{{"restart", StreamMode::restart}, {"continue", StreamMode::carry_on}}};
}

/// [stream] of a configuration.
struct StreamConfig {
  StreamMode mode = StreamMode::restart;
  std::int64_t steps = 350;
  std::int64_t batch = 64;
  std::int64_t grow_from = 0;  ///< > 0: rows in the first batch
  double grow_until = 0.5;
  bool reset_at_trial = false;
  std::int64_t trials_per_task = 0;  ///< > 0: a finite data set

  static constexpr std::array<Renamed, 1> renamed_keys{{{"steps", "row_steps"}}};

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("mode", self.mode,
          "restart: rows begin with a fresh trial; continue: where the last batch stopped");
    constexpr double most = 2147483647;
    field("row_steps", self.steps, "time steps in a row of the batch (NeuroGym: seq_len)",
          between(1, most));
    field("batch", self.batch, "rows in a batch", between(1, most));
    field("grow_from", self.grow_from,
          "rows in the first batch, from where batches grow to `batch` rows, whole blocks at a "
          "time; 0: all have `batch`",
          at_least(0));
    field("grow_until", self.grow_until, "share of the steps after which batches have `batch` rows",
          between(0, 1));
    field("reset_at_trial", self.reset_at_trial, "hidden state back to 0 where a trial begins");
    field("trials_per_task", self.trials_per_task,
          "size of a finite data set, revisited for ever; 0: fresh trials for ever",
          between(0, most));
  }
};

/// Weight of a step in the loss, by task and Period.
using StepWeights = std::vector<std::array<float, n_periods>>;

/// Rows of fixed length, filled with trials end to end; the last trial of a row is cut.
///
/// Threads: may be shared; every const function may be called by any number of threads at once.
class PackedStream final : public BatchSource {
 public:
  /// `weights`: the loss weights to write; if empty, 1. Throws UsageError for a configuration out
  /// of range.
  PackedStream(const Battery& battery, const StreamConfig& config, Seed seed, Split split,
               StepWeights weights = {});
  ~PackedStream() override;
  PackedStream(PackedStream&&) noexcept;

  /// Writes rows first_row ... first_row + n - 1 of batch `batch`, where n is the number of trials
  /// of `rows`; all arrays except `resets`. Steps of trials that are cut by the row are not scored.
  /// In `continue`, and with a finite data set, a batch of a row depends on all trials before it in
  /// the row. The stream remembers its position in each row, so asking for the batches of a row in
  /// order is fast; going back starts again at batch 0. Threads that ask for the same row take
  /// turns. Throws UsageError for rows or a batch that the stream does not have, and for arrays of
  /// another shape.
  void fill(std::uint32_t batch, std::uint32_t first_row, const TrialRows& rows) const;

  /// "battery".
  std::string name() const override;
  BatchShape shape() const override;
  std::vector<std::string> tasks() const override;
  /// The same; the split is always the stream's own.
  void fill(Split split, std::uint32_t batch, std::uint32_t first_row,
            const TrialRows& rows) const override;

  const Battery& battery() const noexcept;
  const StreamConfig& config() const noexcept;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

/// Whole trials of a battery, padded to the longest. In the padding, inputs, targets, loss weights
/// and `scored` are 0, and the rules continue.
struct TrialBatch : Trials {
  std::vector<std::uint32_t> tasks;            ///< (trial) index into battery.tasks()
  std::vector<Conditions> conditions;          ///< (trial)
  std::vector<std::int32_t> lengths;           ///< (trial) steps
  std::vector<std::int32_t> responses;         ///< (trial) Trial::response
  std::vector<std::vector<PeriodSpan>> spans;  ///< (trial)
};

/// Trials first ... first + n - 1 of one task in a split. Trial k of a task is always the same,
/// whichever others you ask for. Finite data sets consist of trials 0 ... M - 1 of split `train`.
/// Throws UsageError for a task that the battery does not have, or if first + n is above 2^32 - 1.
TrialBatch draw_trials(const Battery& battery, std::size_t task, std::size_t n, Seed seed,
                       Split split, std::size_t first = 0);

/// A batch of trials with the given conditions, one row each. Noise (if the conditions ask for it)
/// is drawn with the seed, split and batch of `key`, and row `key.row` + k for trial k. Throws
/// UsageError for conditions that no trial of the task can have, and unless there is a task for
/// each trial.
TrialBatch compose_trials(const Battery& battery, std::span<const std::uint32_t> tasks,
                          std::span<const Conditions> conditions, Key key);

}  // namespace lmrnn
