// The directory of a study: where files are, who has claimed what, and what went wrong.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "core/shared/descriptor.hpp"
#include "lmrnn/study.hpp"

namespace lmrnn {

std::filesystem::path run_directory(const Study& study, const PlannedRun& run);
/// What was registered before the first run; nothing if no run has begun.
std::filesystem::path registered_file(const Study& study);
std::optional<StudyConfig> registered_config(const Study& study);
std::filesystem::path made_directory(const Study& study, const std::string& hash);

/// Throws UsageError if the directory holds runs and none is of this study, which claims something
/// else: two study files of one name have one default directory.
void require_own_directory(const Study& study, const StudyPlan& plan);

/// The exclusive right to work on one run. It ends with the object and every process that inherited
/// it. An open-file-description lock: it holds across machines on file systems with POSIX locks,
/// and a child keeps it when its parent dies.
class Claim {
 public:
  /// Nothing if another process has it. `owner` is shown to other processes. Throws RunError.
  static std::optional<Claim> take(const Study& study, const PlannedRun& run,
                                   const std::string& owner);

 private:
  explicit Claim(Descriptor file) : file_(std::move(file)) {}
  Descriptor file_;
};

/// Who has claimed a run; nothing if it is not claimed.
std::optional<std::string> claim_owner(const Study& study, const PlannedRun& run);

struct Failure {
  bool diverged = false;
  std::string error;
};
std::optional<Failure> read_failure(const Study& study, const PlannedRun& run);
void write_failure(const Study& study, const PlannedRun& run, const Failure& failure);
void remove_failure(const Study& study, const PlannedRun& run);

}  // namespace lmrnn
