// Writing a run directory; include/lmrnn/run.hpp describes what is in it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/shared/descriptor.hpp"
#include "lmrnn/train.hpp"
#include "train/inputs.hpp"

namespace lmrnn {

/// Exclusive use of a run directory for as long as the object, or the process, lives.
class RunLock {
 public:
  /// Throws UsageError if another process has it, RunError if the file cannot be made.
  explicit RunLock(const std::filesystem::path& run);

 private:
  Descriptor file_;
};

/// Throws UsageError if `run` exists and holds anything but the beginnings of a run that was killed
/// before it had a configuration.
void require_unused(const std::filesystem::path& run);

/// Removes the temporary files of processes that were killed while writing. Needs the lock.
void remove_unfinished_files(const std::filesystem::path& run);

/// Creates the directory, takes the lock, and writes provenance.json and config.toml.
/// `inputs` are the files that the run has read.
RunLock create_run(const std::filesystem::path& run, const RunConfig& config, int n_threads,
                   const std::vector<InputFile>& inputs);

/// The files that the run read when it began; empty if it read none, or was begun by a version that
/// did not write them down.
std::vector<InputFile> recorded_inputs(const std::filesystem::path& run);

/// How long the last session has been training, in seconds of the clock and of the processor (all
/// threads of the process), so far.
void record_session_times(const std::filesystem::path& run, double seconds,
                          double processor_seconds);

/// Adds a session to provenance.json. Returns what the user should know about the difference from
/// the first session; empty if there is none.
std::vector<std::string> add_session(const std::filesystem::path& run, std::int64_t first_step,
                                     int n_threads);

}  // namespace lmrnn
