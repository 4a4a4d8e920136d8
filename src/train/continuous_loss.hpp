// The loss of continuous targets, computed outside the engine.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "lmrnn/operation.hpp"
#include "lmrnn/threads.hpp"
#include "lmrnn/trials.hpp"

namespace lmrnn {

/// Least squares, sum over (time, row) of w sum_c (z_c - y_c)^2: what Network::loss_and_gradient is
/// for classes. The kernels of the loss know only classes, and this loss is so cheap that it needs
/// no kernel.
///
/// Threads: may be shared.
class ContinuousLoss {
 public:
  explicit ContinuousLoss(const Network& network) : operation_(network) {}

  /// Loss of a block with the targets `outputs` (time, row, output), contiguous like all arrays of
  /// `block`, and its gradient, flat like the parameters. If a parameter is not finite, the loss is
  /// NaN. options.kind is least_squares.
  LossResult loss_and_gradient(const Network& network, const TrialView& block,
                               const TrialArray<const float>& outputs, const RecurrentNoise& noise,
                               const LossOptions& options, std::span<float> gradient);

 private:
  /// Buffers of one call, kept for the next one.
  struct Scratch {
    ThreadPool alone{1};  // a single thread: blocks are parallel in the caller's pool
    Buffer<float> kept, logits, states;
  };
  std::unique_ptr<Scratch> take();

  Operation operation_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Scratch>> idle_;
};

}  // namespace lmrnn
