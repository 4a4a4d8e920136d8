// Training data of one batch, divided into blocks of rows.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lmrnn/network.hpp"
#include "lmrnn/streams.hpp"
#include "lmrnn/train.hpp"

namespace lmrnn {

/// The weight of a step's loss, by task and Period: the weight of its period, divided, if
/// `loss.balance` asks for it, by the mean number of steps of the decision (or of all other
/// periods) of its task, and by the frequency of the task. 0 for tasks that are never drawn.
StepWeights step_weights(const LossConfig& loss, const Battery& battery);

/// The packed stream of a battery, of split `train`, with the loss weights of a configuration and
/// the task frequencies of `weighed` (see step_weights).
std::shared_ptr<const BatchSource> packed_source(const RunConfig& config, const Battery& battery,
                                                 const Battery& weighed);
inline std::shared_ptr<const BatchSource> packed_source(const RunConfig& config,
                                                        const Battery& battery) {
  return packed_source(config, battery, battery);
}

/// A warning if rows that begin with a fresh trial are too short for a trial of some task, so that
/// its end, the decision, would seldom or never be trained; otherwise nothing.
std::optional<std::string> warning_of_short_rows(const StreamConfig& stream,
                                                 const Battery& battery);

/// Rows [first_row, first_row + n) of a batch that are computed together.
struct BatchBlock {
  std::uint32_t first_row = 0;
  Trials trials;
  Buffer<float> outputs;      ///< (time, row, output): continuous targets, or empty
  double weight = 0;          ///< sum of the loss weights
  std::uint64_t n_begun = 0;  ///< trials that begin in these rows

  /// `n_outputs`: n_target_outputs of the source.
  BatchBlock(const BatchShape& shape, const StreamConfig& stream, std::size_t first,
             std::size_t n_rows, std::size_t n_outputs);
  /// Replaces the content by these rows of batch `batch` of split `train`. Threads may fill
  /// different blocks at the same time.
  void fill(const BatchSource& source, std::uint32_t batch);
  TrialArray<float> outputs_view() noexcept;
  TrialArray<const float> outputs_view() const noexcept;
};

/// Bytes of the data of `n_rows` rows of a batch.
std::size_t batch_bytes(const BatchShape& shape, std::size_t n_steps, std::size_t n_rows) noexcept;

}  // namespace lmrnn
