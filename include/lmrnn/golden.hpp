// Reference trials: files of trials drawn from the published Mod-Cog code, against which `compose`
// is checked. tests/golden/README.md describes the format (one JSON object per line).
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "lmrnn/tasks.hpp"

namespace lmrnn {

struct VerifyResult {
  std::size_t n_trials = 0;           ///< lines of the file
  std::size_t n_mismatches = 0;       ///< trials that differ, and lines that cannot be read
  double max_abs_error = 0;           ///< of the observations of all trials that could be composed
  std::vector<std::string> messages;  ///< "file:line: what differs", one per mismatch

  VerifyResult& operator+=(const VerifyResult& other);
  bool passed() const noexcept { return n_trials > 0 && n_mismatches == 0; }
};

/// Composes every trial of a file from its `params`, at its own dt and n_ring, and compares
/// observations (to 1e-6), targets (exactly), steps and periods. `params.direction` of reach trials
/// is the direction of the response. A truncated or malformed line is a mismatch. Throws UsageError
/// if the file cannot be read or is empty.
VerifyResult verify_golden(const std::filesystem::path& path, const SemanticsConfig& semantics);

}  // namespace lmrnn
