// The input files of a run: their content belongs to the run, not only their path.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lmrnn/run.hpp"

namespace lmrnn {

struct InputFile : InputPath {
  std::string sha256;  ///< of its content, 64 hexadecimal digits
};

/// The input files with their present content. Throws UsageError if one cannot be read.
std::vector<InputFile> input_files(const RunConfig& config);

/// The files of `before` that still exist, at their old path or else at the one in `config`, with
/// their present content. Sets their paths in `config`: a run may be resumed from another working
/// directory, where a relative path means another file.
std::vector<InputFile> remaining_files(RunConfig& config, const std::vector<InputFile>& before);

/// Throws UsageError if a file of `now` has another content than the file of the same key had when
/// the run in `run` began.
void require_unchanged(const std::filesystem::path& run, const std::vector<InputFile>& before,
                       const std::vector<InputFile>& now);

}  // namespace lmrnn
