// Writing a run directory; include/lmrnn/run.hpp describes its content.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/shared/descriptor.hpp"
#include "lmrnn/train.hpp"
#include "train/inputs.hpp"
#include "train/source_signature.hpp"

namespace lmrnn {

/// Exclusive use of a run directory while the object and the process live.
class RunLock {
 public:
  /// Throws UsageError if another process has it, RunError if the file cannot be made.
  explicit RunLock(const std::filesystem::path& run);

 private:
  Descriptor file_;
};

/// Throws UsageError if `run` exists and is not empty, except for files of a run that was killed
/// before it had a configuration.
void require_unused(const std::filesystem::path& run);

/// Removes the temporary files of processes that were killed while writing. Needs the lock.
void remove_unfinished_files(const std::filesystem::path& run);

/// Creates the directory, takes the lock, and writes provenance.json and config.toml.
/// `inputs`: the files that the run has read; `data`: of its own data, if it has any.
RunLock create_run(const std::filesystem::path& run, const RunConfig& config, int n_threads,
                   const std::vector<InputFile>& inputs,
                   const std::optional<SourceSignature>& data);

/// The files that the run read when it began; empty if it read none, or if an earlier version began
/// it, which did not record them.
std::vector<InputFile> recorded_inputs(const std::filesystem::path& run);

/// The data that the run began with; nothing if they are a battery, or if an earlier version began
/// it.
std::optional<SourceSignature> recorded_data(const std::filesystem::path& run);

/// Records how long the last session has been training so far, in seconds of wall-clock time and of
/// processor time (all threads of the process).
void record_session_times(const std::filesystem::path& run, double seconds,
                          double processor_seconds);

/// Adds a session to provenance.json. Returns differences from the first session that the user
/// should know about; empty if there are none.
std::vector<std::string> add_session(const std::filesystem::path& run, std::int64_t first_step,
                                     int n_threads);

}  // namespace lmrnn
