// Training: the trainer of a run, and estimates of what a run will cost.
//
// One optimiser step: a batch of packed rows is cut into fixed blocks of rows; every block's
// gradient is computed on its own (backpropagation through time over the whole row) and the blocks
// are added in order; the penalty is added, the global norm clipped, and the optimiser applied.
// lmrnn/run_config.hpp lists the options.
//
// Nothing depends on the number of threads, nor on where a run was interrupted: the same build,
// SIMD target and configuration give the same bits.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lmrnn/evaluate.hpp"
#include "lmrnn/network.hpp"
#include "lmrnn/processes.hpp"
#include "lmrnn/run_config.hpp"
#include "lmrnn/tasks.hpp"
#include "lmrnn/trials.hpp"

namespace lmrnn {

/// The network that `config` describes, initialised (or loaded: `init_from`). Throws UsageError for
/// an impossible configuration, and for a network of `init_from` that does not fit it.
Network make_network(const RunConfig& config, const Battery& battery);

/// A freshly initialised network for data of another shape than a battery's. Throws UsageError if
/// `init_from` is given: weights are matched by tasks, which such data do not have.
Network make_network(const RunConfig& config, const BatchShape& shape);

/// Draws with `seed` the weights that [network] and wiring.initial describe; random masks of
/// wiring.initial are those of the run. Throws UsageError like make_subset.
void draw_initial_weights(Network& network, const RunConfig& config, Seed seed);

// Training -------------------------------------------------------------------------------------

/// The loss, gradient or weights are not finite, after some steps or already in the untrained
/// network. The message says which, and gives the remedy. The same configuration would diverge
/// again.
class Diverged : public RunError {
 public:
  using RunError::RunError;
};

/// After an optimiser step, or after the evaluation that followed it.
struct Progress {
  std::int64_t step = 0, n_steps = 0;      ///< steps done, steps to do
  double loss = 0;                         ///< of this step; NaN before the first
  double seconds_per_step = 0;             ///< running mean, without evaluations
  double seconds_left = 0;                 ///< expected, evaluations included; 0 if not known yet
  const Evaluation* evaluation = nullptr;  ///< the last one, if there has been one
  bool evaluated_now = false;              ///< it belongs to this step
};

/// Called by the thread that called Trainer::run. If they throw, `run` ends at once, without a
/// checkpoint.
struct TrainerCallbacks {
  std::function<void(const Progress&)> progress{};  ///< called after every step
  /// Asked after every step, and after `progress` was called. true: save a checkpoint and return.
  std::function<bool()> stop_requested{};
};

enum class Outcome {
  finished,    ///< all steps done
  criterion,   ///< stopped because a criterion was met
  interrupted  ///< stop_requested; the run can be resumed
};
constexpr std::array<std::pair<std::string_view, Outcome>, 3> enum_names(Outcome) {
  return {{{"finished", Outcome::finished},
           {"criterion", Outcome::criterion},
           {"interrupted", Outcome::interrupted}}};
}

/// Connects the processes that mpirun has started together; nullptr if the library was built
/// without MPI (preset `mpi`). Call it once, and keep the result until the end. Throws RunError if
/// MPI cannot be started for a program with threads.
std::unique_ptr<Processes> connect_processes();

/// How a run is carried out. None of it changes what the run computes, apart from `source`.
struct TrainerOptions {
  int n_threads = 0;  ///< 0: one per available processor
  /// Data to train on instead of `battery` of the configuration; evaluated on `evaluation.trials`
  /// rows per task.
  std::shared_ptr<const BatchSource> source{};
  /// The processes that train the same network: each computes its share of the blocks of trials,
  /// with the same bits as one process alone. They all call the same functions, and process 0
  /// writes the files. Must outlive the trainer. nullptr: this process alone.
  Processes* processes = nullptr;
  CeilingFunction ceilings{};  ///< of the battery; empty: they are computed
};

/// Trains a network in a run directory, which it locks as long as it exists.
///
/// Threads: must not be shared while `run` trains; callbacks run on the thread that called `run`
/// and may read everything. `config`, `battery`, `directory` and `notices` never change and may be
/// read by any thread. Trainers are independent: any number of them, with different SIMD targets
/// too, may train at the same time in one process.
class Trainer {
 public:
  /// A new run. Creates `directory`. Throws UsageError, before anything is written, if there is
  /// already something in it or the configuration is impossible; RunError if it cannot be written.
  static Trainer start(const RunConfig& config, const std::filesystem::path& directory,
                       const TrainerOptions& options = {});
  /// Resumes the run in `directory` from its newest checkpoint, or starts it again if it has none.
  /// Throws UsageError if the directory is not a run, is damaged, has another format version,
  /// belongs to another process, or is done; if the run began with another `source`, or with one
  /// and none is given now; or if a file that it read (`wiring.path`, `init_from`) has changed
  /// since.
  static Trainer resume(const std::filesystem::path& directory, const TrainerOptions& options = {});
  ~Trainer();
  Trainer(Trainer&&) noexcept;
  Trainer& operator=(Trainer&&) noexcept;

  /// Trains to the end, a criterion or a request to stop. Throws Diverged if the loss is not
  /// finite, even before the first update (checkpoints are kept), RunError if the disk is full.
  /// Call it once.
  Outcome run(const TrainerCallbacks& callbacks = {});

  const RunConfig& config() const noexcept;
  const Battery& battery() const noexcept;
  const Network& network() const noexcept;
  const Sheet& sheet() const noexcept;  ///< with the coordinates of its units, if there are any
  const std::filesystem::path& directory() const noexcept;
  std::int64_t step() const noexcept;  ///< optimiser steps done
  const std::optional<Evaluation>& last_evaluation() const noexcept;
  /// Warnings for the user, e.g. that rows are shorter than trials, that the untrained network's
  /// activity grows to a loss above 1000, or that a resumed run uses another SIMD target than at
  /// its start.
  const std::vector<std::string>& notices() const noexcept;

 private:
  struct Implementation;
  explicit Trainer(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

// Before training ------------------------------------------------------------------------------

/// The units and synapses that `config` describes. Throws UsageError as make_mask.
Architecture make_architecture(const RunConfig& config, const Battery& battery);

/// Upper bounds of the memory that a run needs, in bytes, by purpose.
struct MemoryEstimate {
  double bytes_parameters = 0;   ///< weights, gradients of all blocks, optimiser state
  double bytes_activations = 0;  ///< states and gradients of the blocks that run together
  double bytes_batches = 0;      ///< training data, this step's and the next one's
  double total() const noexcept { return bytes_parameters + bytes_activations + bytes_batches; }
};

/// Builds the masks, but no network. `n_threads` 0: one per available processor. Throws UsageError
/// for an impossible configuration.
MemoryEstimate estimate_memory(const RunConfig& config, int n_threads);

/// What a run will cost.
struct RunEstimate {
  std::vector<CostRow> costs;
  std::size_t n_units = 0, n_synapses = 0, n_parameters = 0, n_tasks = 0;
  std::size_t block_rows = 0, n_blocks = 0;
  MemoryEstimate memory;
  double seconds_per_step = 0;  ///< with all rows of stream.batch; measured over `measured_steps`
  double seconds_training = 0;  ///< all steps, without evaluations
  std::int64_t measured_steps = 0;
  std::vector<std::string> notices{};  ///< what Trainer::notices will say
};

/// Trains a few steps in memory and discards them. Writes nothing. `n_threads` 0: one per available
/// processor. Throws like Trainer::start and Trainer::run.
RunEstimate estimate_run(const RunConfig& config, int n_threads);

}  // namespace lmrnn
