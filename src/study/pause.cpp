// Pausing a study: every run checks for a file between two steps.
#include <fmt/core.h>

#include <filesystem>
#include <system_error>

#include "core/shared/descriptor.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"
#include "lmrnn/study.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;

fs::path pause_file(const Study& study) {
  return study.out / "paused";
}

}  // namespace

bool pause_study(const Study& study, const std::string& by) {
  if (study_paused(study)) return false;
  make_directories(study.out);
  write_file(pause_file(study), by + "\n");
  return true;
}

bool resume_study(const Study& study) {
  std::error_code error;
  const bool removed = fs::remove(pause_file(study), error);
  if (error)
    throw RunError(fmt::format("{}: cannot be removed ({}); fix the permissions, then resume again",
                               pause_file(study).string(), error.message()));
  return removed;
}

std::optional<std::string> study_paused(const Study& study) {
  std::error_code error;
  if (!fs::exists(pause_file(study), error)) return std::nullopt;
  try {
    std::string by = read_file(pause_file(study));
    while (by.ends_with('\n')) by.pop_back();
    return by;
  } catch (const std::exception&) {
    return std::nullopt;  // resumed after `exists` and before the file was read
  }
}

}  // namespace lmrnn
