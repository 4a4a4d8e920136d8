// The run directory: everything that a run writes, including all that is needed to resume it.
//
//   config.toml         the resolved configuration, defaults included
//   provenance.json     format version; the files that the run read (wiring.path, init_from) and
//                       their SHA-256; of a run's own data a few sums by which they are recognised;
//                       one entry per session: version, commit, compiler, SIMD
//                       target, processor, threads, start time, first step, and how long it had
//                       trained at its last checkpoint (seconds, and processor_seconds of all
//                       threads of the process)
//   metrics.csv         a row per log interval and per evaluation
//   tasks.csv           a row per evaluation and task
//   checkpoints/step-00000500/
//     network.safetensors  weights, masks, and what they were trained on (load_network reads it)
//     state.safetensors    what else resuming needs: optimiser, counters
//   lock                held (flock) by the process that trains; the kernel frees it when it dies
//   DONE                a summary; written last, when the run is complete
//
// Files appear under their names only when they are complete. Checkpoints hold no times and no
// paths, so that equal runs have equal files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lmrnn/run_config.hpp"
#include "lmrnn/train.hpp"

namespace lmrnn {

/// Version of the layout above. A directory of another version is rejected.
constexpr int run_format_version = 1;

/// Steps of the complete checkpoints in a run directory, ascending; none if there is no such
/// directory.
std::vector<std::int64_t> checkpoint_steps(const std::filesystem::path& run);

/// checkpoints/step-00000500 of a run, whether it exists or not.
std::filesystem::path checkpoint_path(const std::filesystem::path& run, std::int64_t step);

/// A run as its directory describes it.
struct RunRecord {
  std::filesystem::path directory;
  RunConfig config;
  std::vector<std::int64_t> checkpoints;  ///< steps, ascending
  bool done = false;

  std::filesystem::path latest_network() const;  ///< throws UsageError if there is no checkpoint
};

/// Opens a run directory, or "zoo:NAME" (lmrnn/zoo.hpp). Throws UsageError (not a run directory,
/// another format version, unreadable configuration).
RunRecord open_run(const std::filesystem::path& directory);

/// The configuration of a run, with the present paths of the files that it read: where it read
/// them, or else where config.toml says. Throws UsageError if the content of one has changed since.
RunConfig config_with_files(const RunRecord& run);

/// Throws UsageError unless the run began with these data (nullptr: a battery) and with the files
/// as they are now. Trainer::resume checks it, too. Runs of earlier versions recorded less, and
/// less of them is checked.
void require_same_inputs(const RunRecord& run, std::shared_ptr<const BatchSource> source);

/// Throws UsageError if a file that `config` names, seen from the working directory, exists and is
/// not what the run read: the same relative path may mean another file than where the run began.
void require_same_files(const RunRecord& run, const RunConfig& config);

/// A file that a configuration names.
struct InputPath {
  std::string key;  ///< of the configuration, e.g. "wiring.path"
  std::filesystem::path path;
};

/// The files that a run of `config` reads: those of [wiring] (masks, weights, coordinates, types),
/// and the network of `init_from`. Throws UsageError if `init_from` leads to no network.
std::vector<InputPath> input_paths(const RunConfig& config);

/// The network file that `path` leads to: `path` itself, or that of the newest checkpoint of a run
/// directory or of "zoo:NAME", or that of a checkpoint directory. Throws UsageError if there is
/// none.
std::filesystem::path find_network(const std::filesystem::path& path);

}  // namespace lmrnn
