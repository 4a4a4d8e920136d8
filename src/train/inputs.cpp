#include "train/inputs.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "core/shared/sha256.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/run.hpp"

namespace lmrnn {

namespace fs = std::filesystem;

std::vector<InputPath> input_paths(const RunConfig& config) {
  std::vector<InputPath> paths;
  const WiringConfig& wiring = config.wiring;
  const auto add = [&](bool is_file, const char* key, const std::string& path) {
    if (is_file && !path.empty()) paths.push_back({key, path});
  };
  add(wiring.kind == WiringKind::file, "wiring.path", wiring.path);
  add(wiring.excitatory_placement == UnitPlacement::file, "wiring.excitatory_path",
      wiring.excitatory_path.value_or(""));
  add(true, "wiring.coordinates_path", wiring.coordinates_path.value_or(""));
  add(true, "wiring.types_path", wiring.types_path.value_or(""));
  add(true, "wiring.weights_path", wiring.weights_path.value_or(""));
  add(wiring.plastic.kind == SubsetKind::file, "wiring.plastic.path", wiring.plastic.path);
  add(wiring.initial.kind == SubsetKind::file, "wiring.initial.path", wiring.initial.path);
  if (!config.init_from.empty()) paths.push_back({"init_from", find_network(config.init_from)});
  return paths;
}

std::vector<InputFile> input_files(const RunConfig& config) {
  std::vector<InputFile> files;
  for (InputPath& input : input_paths(config)) {
    std::string content = sha256_of_file(input.path);
    // Absolute: the run may be resumed from another working directory.
    input.path = fs::absolute(input.path).lexically_normal();
    files.push_back({std::move(input), std::move(content)});
  }
  return files;
}

std::vector<InputFile> remaining_files(const std::vector<InputFile>& before) {
  std::vector<InputFile> now;
  for (const InputFile& input : before) {
    std::error_code error;
    if (!fs::exists(input.path, error)) continue;
    now.push_back(input);
    now.back().sha256 = sha256_of_file(input.path);
  }
  return now;
}

void require_unchanged(const fs::path& run, const std::vector<InputFile>& before,
                       const std::vector<InputFile>& now) {
  for (const InputFile& input : now) {
    const auto old = std::ranges::find(before, input.key, &InputFile::key);
    if (old == before.end() || old->sha256 == input.sha256) continue;
    throw UsageError(
        fmt::format("{}: {} has changed since the run began, which read it as {}; put the old file "
                    "back (its sha256sum is {}), or start a new run",
                    run.string(), input.path.string(), input.key, old->sha256));
  }
}

}  // namespace lmrnn
