// Training data of one batch, cut into blocks of rows.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lmrnn/batches.hpp"
#include "lmrnn/network.hpp"
#include "lmrnn/streams.hpp"
#include "lmrnn/train.hpp"

namespace lmrnn {

/// Weight of a step's loss by task and Period: that of its period, divided, as `loss.balance` asks,
/// by the mean number of steps of the decision (or of all other periods) of its task, and by how
/// often the task is drawn. 0 for tasks that are never drawn.
std::vector<std::array<float, n_periods>> step_weights(const LossConfig& loss,
                                                       const Battery& battery);

/// The packed stream of a battery (split `train`, whichever is asked for) as a source; weights by
/// period become loss weights, by the frequencies of `weighed` (step_weights).
std::shared_ptr<const BatchSource> packed_source(const RunConfig& config, const Battery& battery,
                                                 const Battery& weighed);
inline std::shared_ptr<const BatchSource> packed_source(const RunConfig& config,
                                                        const Battery& battery) {
  return packed_source(config, battery, battery);
}

/// A warning if rows that begin with a fresh trial are too short for one of some task, so that what
/// it ends with, the decision, would seldom or never be trained on; else nothing.
std::optional<std::string> warning_of_short_rows(const StreamConfig& stream,
                                                 const Battery& battery);

/// A warning if the first batch of `split` has tasks without a single scored step, whose scores
/// would be 0 whatever the network does; else nothing. Trials longer than a row do that.
std::optional<std::string> warning_of_unscored_tasks(const BatchSource& source,
                                                     const StreamConfig& stream, Split split);

/// Rows [first_row, first_row + n_rows) of a batch, as the network wants them.
class BatchBlock {
 public:
  BatchBlock(const BatchSource& source, const StreamConfig& stream, std::size_t first_row,
             std::size_t n_rows);

  /// Replaces the content by these rows of batch `batch` of split `train`. Blocks may be filled at
  /// the same time.
  void fill(const BatchSource& source, std::uint32_t batch);

  TrialBlock view() const noexcept;
  std::uint32_t first_row() const noexcept { return static_cast<std::uint32_t>(first_row_); }
  std::size_t n_rows() const noexcept { return n_rows_; }
  double weight() const noexcept { return weight_; }         ///< sum of the loss weights
  std::uint64_t trials() const noexcept { return trials_; }  ///< that begin in these rows

  /// Memory of the data of `n_rows` rows.
  static std::size_t n_bytes(std::size_t n_steps, std::size_t n_channels, std::size_t n_rule_slots,
                             std::size_t n_rows) noexcept;

 private:
  std::size_t first_row_, n_rows_, n_steps_;
  BatchShape shape_;
  bool reset_at_trial_;
  Buffer<float> inputs_, loss_weights_;
  Buffer<std::int32_t> rules_, targets_;
  Buffer<std::uint8_t> starts_;
  double weight_ = 0;
  std::uint64_t trials_ = 0;
};

}  // namespace lmrnn
