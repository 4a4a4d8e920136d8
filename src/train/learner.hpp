// Optimiser steps in memory: data, gradients, update. Files and evaluation are elsewhere.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "lmrnn/threads.hpp"
#include "lmrnn/train.hpp"
#include "rnn/shared/workspaces.hpp"
#include "train/batches.hpp"
#include "train/continuous_loss.hpp"
#include "train/gains.hpp"
#include "train/optimiser.hpp"
#include "train/synapse_terms.hpp"

namespace lmrnn {

struct StepResult {
  double loss = 0;           ///< mean weighted loss of the batch plus penalties
  double data_loss = 0;      ///< the same without penalties
  double gradient_norm = 0;  ///< before clipping
  bool clipped = false;
  bool overflows = false;    ///< the squares of the (clipped) gradient overflow single precision
  std::uint64_t trials = 0;  ///< that began in this batch

  /// Whether the optimiser can use it.
  bool finite() const noexcept;
};

/// Data of files that a resumed run may no longer have. If absent, the files are read.
struct FromFiles {
  std::optional<WiringConfig> wiring{};  ///< with the paths of the remaining files
  std::optional<Sheet> sheet{};
  std::optional<GainState> gains{};
};

class Learner {
 public:
  /// Starts at step `first_step` with the weights of `network`. `pool` and `processes` must outlive
  /// it.
  Learner(const RunConfig& config, std::shared_ptr<const BatchSource> source, Network network,
          std::int64_t first_step, ThreadPool& pool, Processes* processes = nullptr,
          FromFiles known = {});
  /// On the packed stream of a battery.
  Learner(const RunConfig& config, const Battery& battery, Network network, std::int64_t first_step,
          ThreadPool& pool)
      : Learner(config, packed_source(config, battery), std::move(network), first_step, pool) {}

  /// Loss and gradient of the next step; the next call of `step` uses them and does not compute
  /// them again.
  const StepResult& look_ahead();
  /// One optimiser step. If the result is not finite, the weights stay unchanged.
  StepResult step();

  std::int64_t steps_done() const noexcept { return step_; }
  /// The trained weights.
  const Network& network() const noexcept { return network_; }
  /// The result of the training: the running average of the weights if there is one, or the
  /// weights. Do not call it while step() runs.
  const Network& result();
  /// Sets the trained weights. Before, the learner has those that it was made with, which are then
  /// only the average. Only with averaging.
  void set_weights(std::span<const float> weights);
  /// The cool-down of an open-ended schedule is set to begin after `step` steps.
  void begin_cooldown(std::int64_t step) noexcept { cooldown_from_ = step; }
  /// Asks the source again for the data of the next step, because it would now return other data.
  void refill();
  /// Distances between units.
  const Sheet& sheet() const noexcept { return sheet_; }
  const Gains& gains() const noexcept { return gains_; }
  Optimiser& optimiser() noexcept { return optimiser_; }
  const Optimiser& optimiser() const noexcept { return optimiser_; }
  std::size_t n_blocks() const noexcept { return block_results_.size(); }
  /// This process's first block of the next step's batch; valid until that step.
  TrialView first_block() const noexcept {
    return batches_[static_cast<std::size_t>(step_ % 2)].blocks.front().trials.view(
        config_.stream.reset_at_trial);
  }

 private:
  /// This process's part of the data of one step, and the sums of all processes' blocks.
  struct Batch {
    std::vector<BatchBlock> blocks;  ///< [first_block_, first_block_ + blocks.size()) of all
    struct Sums {
      double weight;
      std::uint64_t trials;
    };
    std::vector<Sums> sums;  ///< of all blocks
  };

  /// `n_filled`: how many of this process's blocks belong to this step; the others count as empty.
  void share_sums(Batch& batch, std::size_t n_filled);
  void compute_block(std::size_t block, const Batch& batch, double weight);
  double weight_penalty() const noexcept;
  double wire_penalty() const noexcept;
  double add_gradients();
  StepResult compute();
  void apply(double scale);
  /// Blocks of the batch of step `step`: fewer than n_blocks() while batches grow.
  std::size_t blocks_of(std::int64_t step) const noexcept;
  std::size_t own_blocks_of(std::int64_t step) const noexcept;  ///< of this process
  double states_of(std::int64_t step) const noexcept;  ///< (time, row, unit) of the whole batch

  RunConfig config_;
  ThreadPool& pool_;
  Processes* processes_;
  std::shared_ptr<const BatchSource> source_;
  Network network_;
  std::optional<Network> average_;
  std::optional<Network::WeightWriter> average_writer_;  ///< while the average is not up to date
  Optimiser optimiser_;
  std::vector<ParameterSlice> slices_;
  Sheet sheet_;
  SynapseTerms synapse_terms_;
  Gains gains_;
  std::optional<ContinuousLoss> continuous_;  ///< if the source's targets are
  std::int64_t step_;
  std::optional<StepResult> ahead_;  ///< of the next step, if already computed
  std::int64_t cooldown_from_ = -1;

  /// This step's data and the next one's; step s uses batches_[s % 2].
  std::array<Batch, 2> batches_;
  std::size_t first_block_ = 0;
  /// (block, parameter). Gradients of blocks are stored side by side until all are there. They are
  /// then added in the order of the blocks, so the sum does not depend on which thread or process
  /// computed them.
  Buffer<float> block_gradients_;
  std::vector<LossResult> block_results_;
  Buffer<float> gradient_;
  Workspaces workspaces_;
};

}  // namespace lmrnn
