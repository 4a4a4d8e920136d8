// Training data of one batch, cut into blocks of rows.
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

/// Weight of a step's loss by task and Period: that of its period, divided, as `loss.balance` asks,
/// by the mean number of steps of the decision (or of all other periods) of its task, and by how
/// often the task is drawn. 0 for tasks that are never drawn.
StepWeights step_weights(const LossConfig& loss, const Battery& battery);

/// The packed stream of a battery, of split `train`, whose loss weights are those of a
/// configuration, by the frequencies of `weighed` (step_weights).
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
  /// Replaces the content by these rows of batch `batch` of split `train`. Blocks may be filled at
  /// the same time.
  void fill(const BatchSource& source, std::uint32_t batch);
  TrialArray<float> outputs_view() noexcept;
  TrialArray<const float> outputs_view() const noexcept;
};

/// Memory of the data of `n_rows` rows of a batch.
std::size_t batch_bytes(const BatchShape& shape, std::size_t n_steps, std::size_t n_rows) noexcept;

}  // namespace lmrnn
