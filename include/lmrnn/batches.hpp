// Training data that a program brings along, in place of a battery's packed stream.
//
// A source fills rows of batches; the trainer does the rest as always: blocks, gradients, schedule,
// evaluation, checkpoints. For runs to be reproducible, and to resume to the same bits, what `fill`
// writes must be a function of its arguments alone. It is called from several threads at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lmrnn/array.hpp"
#include "lmrnn/evaluate.hpp"
#include "lmrnn/network.hpp"
#include "lmrnn/random.hpp"
#include "lmrnn/streams.hpp"

namespace lmrnn {

/// What a network must have to be trained on a source.
struct BatchShape {
  std::size_t n_channels = 0;    ///< without rules
  std::size_t n_rules = 0;       ///< rule inputs; may be 0
  std::size_t n_rule_slots = 0;  ///< rule inputs that are on at a time; 0 if there are none
  std::size_t n_classes = 0;
  friend bool operator==(const BatchShape&, const BatchShape&) = default;
};

/// Rows to be filled; the row is the last index. Every view that is not empty must be written
/// whole; only evaluation asks for `tasks` and `scored`. What was written is checked once, and a
/// value outside its range is a UsageError that names the array, the batch, the step and the row.
struct LMRNN_CHECKED_TYPE BatchRows {
  View3<float> inputs;               ///< (time, channel, row), finite
  View3<std::int32_t> rules;         ///< (time, slot, row), below n_rules; -1: none
  View2<std::int32_t> targets;       ///< (time, row) class, below n_classes
  View2<float> loss_weights;         ///< (time, row), finite and >= 0; 0: the step does not count
  View2<std::uint8_t> trial_starts;  ///< (time, row); 1 where a trial begins, else 0
  View2<std::int32_t> tasks;         ///< (time, row); index into tasks()
  View2<std::uint8_t> scored;        ///< (time, row); 1: the step counts for accuracy, else 0
};

/// Data of your own.
///
/// Threads: is shared; the trainer calls `fill` from several threads at once, so your functions
/// must allow that. They must not wait for the thread that called Trainer::run.
class BatchSource {
 public:
  virtual ~BatchSource() = default;
  /// What the run's configuration calls it; not empty.
  virtual std::string name() const = 0;
  /// Asked for once per training or evaluation, as `tasks`: neither may change.
  virtual BatchShape shape() const = 0;
  /// Names; at least one.
  virtual std::vector<std::string> tasks() const = 0;
  /// Rows first_row ... of batch `batch`. Splits must not share trials.
  virtual void fill(Split split, std::uint32_t batch, std::uint32_t first_row,
                    const BatchRows& rows) const = 0;
};

/// Scores by task on batches 0 ... n_batches - 1 of a split, rows and steps as in `stream`.
/// "Decision" steps are those that are scored; a trial is right if all its scored steps are. There
/// is no ideal observer of such data: ceilings are 1. Throws UsageError for a network of another
/// shape than the source's, and for values that the source must not write (BatchRows).
Evaluation evaluate_source(const Network& network, const BatchSource& source,
                           const StreamConfig& stream, Split split, std::uint32_t n_batches,
                           ThreadPool& pool);

}  // namespace lmrnn
