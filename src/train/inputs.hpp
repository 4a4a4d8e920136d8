// The files that a run reads: what they hold belongs to the run, not only where they are.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lmrnn/run.hpp"

namespace lmrnn {

struct InputFile : InputPath {
  std::string sha256;  ///< of its content, 64 hexadecimal digits
};

/// What is in them now. Throws UsageError if one cannot be read.
std::vector<InputFile> input_files(const RunConfig& config);

/// Those of `before` that still exist, where they were read or else where `config` says, with what
/// is in them now. Lets `config` name them there: a run may be resumed from another working
/// directory, where a relative path means another file.
std::vector<InputFile> remaining_files(RunConfig& config, const std::vector<InputFile>& before);

/// Throws UsageError if an input of `now` holds something else than the one of the same key did
/// when the run in `run` began.
void require_unchanged(const std::filesystem::path& run, const std::vector<InputFile>& before,
                       const std::vector<InputFile>& now);

}  // namespace lmrnn
