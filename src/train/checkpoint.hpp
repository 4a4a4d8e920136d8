// A checkpoint: a directory that gets its name only when it is complete.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "lmrnn/network.hpp"
#include "train/gains.hpp"

namespace lmrnn {

/// What resuming needs in addition to the network.
struct TrainingState {
  std::int64_t step = 0;
  std::uint64_t trials = 0;    ///< begun so far
  bool criterion_met = false;  ///< training ended here
  /// Sums since the last row of metrics.csv: steps, clipped steps, loss and norm.
  std::uint64_t interval_steps = 0, interval_clipped = 0;
  double interval_loss = 0, interval_norm = 0;
  /// Per task: results of the last evaluation. Empty before the first.
  std::vector<std::uint8_t> passed, solved;
  std::vector<float> first_moment, second_moment;
  std::vector<float> weights;       ///< the trained weights, if the network is their average
  std::int64_t cooldown_from = -1;  ///< the step after which the cool-down began; -1: not yet
  std::vector<std::int64_t> evaluated_at;  ///< steps of all evaluations,
  std::vector<double> shares;              ///< and their mean shares of the ceiling
  std::vector<double> task_shares;  ///< of the last evaluation (task), for adapted frequencies
  GainState gains{};                ///< if gains are trained
};

/// Writes `directory` (checkpoints/step-...). Throws RunError.
void save_checkpoint(const std::filesystem::path& directory, const Network& network,
                     const NetworkMetadata& metadata, const TrainingState& state);

/// Reads the state of a checkpoint. Throws UsageError if it is damaged or does not fit
/// `n_parameters`, `n_tasks` or the configuration: whether the optimiser has a second moment,
/// whether the network is an average, and whether drawing adapts to evaluations.
/// `n_synapses_with_gains`: number of recurrent synapses, if gains are trained.
TrainingState load_state(const std::filesystem::path& directory, std::size_t n_parameters,
                         std::size_t n_tasks, bool second_moment, bool averaged, bool adaptive,
                         std::optional<std::size_t> n_synapses_with_gains = {});

/// Keeps the newest `keep_last` and those at multiples of `keep_every` (if > 0); removes the other
/// checkpoints and the remains of interrupted writes.
void prune_checkpoints(const std::filesystem::path& run, std::int64_t keep_last,
                       std::int64_t keep_every);

}  // namespace lmrnn
