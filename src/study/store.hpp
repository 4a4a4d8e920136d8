// The directory of a study: where things are, who has claimed what, and what went wrong.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "core/shared/descriptor.hpp"
#include "lmrnn/study.hpp"

namespace lmrnn {

std::filesystem::path run_directory(const Study& study, const PlannedRun& run);
std::filesystem::path made_directory(const Study& study, const std::string& hash);

/// Exclusive right to work on one run, until the object and every process that inherited it are
/// gone. An open-file-description lock: it holds across machines on file systems with POSIX locks,
/// and a child keeps it when its parent dies.
class Claim {
 public:
  /// Nothing if somebody else has it. `owner` is what others will be told. Throws RunError.
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
