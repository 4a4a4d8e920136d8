// Training: the trainer that carries out a run, and what a run will take.
//
// One optimiser step: a batch of packed rows is cut into fixed blocks of rows; every block's
// gradient is computed on its own (backpropagation through time over the whole row) and the blocks
// are added in order; the penalty is added, the global norm clipped, and the optimiser applied.
// lmrnn/run_config.hpp says what can be chosen.
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

/// Draws the weights that [network] and wiring.initial describe with `seed`; masks of
/// wiring.initial are those of the run. Throws UsageError as make_subset does.
void draw_initial_weights(Network& network, const RunConfig& config, Seed seed);

// Training -------------------------------------------------------------------------------------

/// Loss, gradient or weights are no longer finite, or not even those of the untrained network: the
/// message says which, and the remedy. The same configuration would diverge again.
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

/// Called by the thread that called Trainer::run. What they throw leaves `run` at once, without a
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

/// The processes that mpirun has started this one with; nullptr if the library was built without
/// MPI (preset `mpi`). To be called once, and the result to be kept until the end. Throws RunError
/// if MPI was started with too few rights for threads.
std::unique_ptr<Processes> connect_processes();

/// How a run is carried out. None of it changes what the run computes, apart from `source`.
struct TrainerOptions {
  int n_threads = 0;  ///< 0: one per available processor
  /// Data to train on in place of `battery` of the configuration; evaluated on `evaluation.trials`
  /// rows per task of it.
  std::shared_ptr<const BatchSource> source{};
  /// Others that train the same network, each with its share of the blocks of trials and the same
  /// bits as one process alone. They all call the same functions, and process 0 writes the files.
  /// Must outlive the trainer. nullptr: this process alone.
  Processes* processes = nullptr;
  CeilingFunction ceilings{};  ///< of the battery; empty: they are computed
};

/// Trains a network in a run directory, which it locks for as long as it lives.
///
/// Threads: must not be shared while `run` trains; callbacks run on the thread that called `run`
/// and may read everything. `config`, `battery`, `directory` and `notices` never change and may be
/// read by any thread. Different trainers know nothing of each other: any number of them, with
/// different SIMD targets too, may train at the same time in one process.
class Trainer {
 public:
  /// A new run. Creates `directory`. Throws UsageError if there is already something in it, or for
  /// an impossible configuration, and then nothing has been written; RunError if it cannot be
  /// written.
  static Trainer start(const RunConfig& config, const std::filesystem::path& directory,
                       const TrainerOptions& options = {});
  /// The run in `directory` from its newest checkpoint. Throws UsageError if there is none, it is
  /// damaged, it is of another format version or belongs to another process, or it is done; or if
  /// the run began with another `source`, or with one where there is none now; or if a file that it
  /// read (`wiring.path`, `init_from`) holds something else by now.
  static Trainer resume(const std::filesystem::path& directory, const TrainerOptions& options = {});
  ~Trainer();
  Trainer(Trainer&&) noexcept;
  Trainer& operator=(Trainer&&) noexcept;

  /// Trains to the end, a criterion or a request to stop. Throws Diverged if the loss is no longer
  /// finite (the checkpoints stay), or not before the first update, RunError if the disk is full.
  /// To be called once.
  Outcome run(const TrainerCallbacks& callbacks = {});

  const RunConfig& config() const noexcept;
  const Battery& battery() const noexcept;
  const Network& network() const noexcept;
  const Sheet& sheet() const noexcept;  ///< with the coordinates of its units, if there are any
  const std::filesystem::path& directory() const noexcept;
  std::int64_t step() const noexcept;  ///< optimiser steps done
  const std::optional<Evaluation>& last_evaluation() const noexcept;
  /// What its owner should know: that rows are shorter than trials, that the untrained network's
  /// activity grows to a loss above 1000, or that a resumed run uses another SIMD target
  /// than it began with.
  const std::vector<std::string>& notices() const noexcept;

 private:
  struct Implementation;
  explicit Trainer(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation_;
};

// Before training ------------------------------------------------------------------------------

/// The units and synapses that `config` describes. Throws UsageError as make_mask.
Architecture make_architecture(const RunConfig& config, const Battery& battery);

/// Memory in bytes that a run needs at most, by what it is for.
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
  double seconds_per_step = 0;  ///< measured over `measured_steps`
  double seconds_training = 0;  ///< all steps, without evaluations
  std::int64_t measured_steps = 0;
  std::vector<std::string> notices{};  ///< what Trainer::notices will say
};

/// Trains a few steps in memory and throws them away. Writes nothing. `n_threads` 0: one per
/// available processor. Throws as Trainer::start and Trainer::run.
RunEstimate estimate_run(const RunConfig& config, int n_threads);

}  // namespace lmrnn
