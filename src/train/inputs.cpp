#include "train/inputs.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "core/shared/sha256.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/run.hpp"
#include "lmrnn/zoo.hpp"
#include "train/run_directory.hpp"

namespace lmrnn {

namespace fs = std::filesystem;

namespace {

/// A key that names a file, and its value.
struct PathKey {
  const char* key;
  std::string* path;
};

/// The keys of [wiring] that name files and are set and used.
std::vector<PathKey> path_keys(WiringConfig& wiring) {
  std::vector<PathKey> keys;
  const auto add = [&](bool is_file, const char* key, std::string* path) {
    if (is_file && path != nullptr && !path->empty()) keys.push_back({key, path});
  };
  const auto of = [](std::optional<std::string>& path) { return path ? &*path : nullptr; };
  add(wiring.kind == WiringKind::file, "wiring.path", &wiring.path);
  add(wiring.excitatory_placement == UnitPlacement::file, "wiring.excitatory_path",
      of(wiring.excitatory_path));
  add(true, "wiring.coordinates_path", of(wiring.coordinates_path));
  add(true, "wiring.types_path", of(wiring.types_path));
  add(true, "wiring.weights_path", of(wiring.weights_path));
  add(wiring.plastic.kind == SubsetKind::file, "wiring.plastic.path", &wiring.plastic.path);
  add(wiring.initial.kind == SubsetKind::file, "wiring.initial.path", &wiring.initial.path);
  return keys;
}

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

}  // namespace

std::vector<InputPath> input_paths(const RunConfig& config) {
  std::vector<InputPath> paths;
  WiringConfig wiring = config.wiring;
  for (const auto& [key, path] : path_keys(wiring)) paths.push_back({key, *path});
  if (!config.init_from.empty()) paths.push_back({"init_from", find_network(config.init_from)});
  return paths;
}

std::vector<InputFile> input_files(const RunConfig& config) {
  std::vector<InputFile> files;
  for (InputPath& input : input_paths(config)) {
    std::string content = sha256_of_file(input.path);
    // Stores absolute paths, because the run may be resumed from another working directory.
    input.path = fs::absolute(input.path).lexically_normal();
    files.push_back({std::move(input), std::move(content)});
  }
  return files;
}

std::vector<InputFile> remaining_files(RunConfig& config, const std::vector<InputFile>& before) {
  std::vector<InputFile> now;
  const std::vector<PathKey> keys = path_keys(config.wiring);
  for (InputFile input : before) {
    const auto named =
        std::ranges::find_if(keys, [&](const PathKey& k) { return k.key == input.key; });
    // Relative to the working directory: the project may have moved together with the run.
    if (!is_there(input.path) && named != keys.end()) input.path = *named->path;
    if (!is_there(input.path)) continue;
    if (named != keys.end()) *named->path = input.path.string();
    if (input.key == "init_from") config.init_from = input.path.string();
    input.sha256 = sha256_of_file(input.path);
    now.push_back(std::move(input));
  }
  return now;
}

RunConfig config_with_files(const RunRecord& run) {
  const std::vector<InputFile> before = recorded_inputs(run.directory);
  RunConfig config = run.config;
  require_unchanged(run.directory, before, remaining_files(config, before));
  return config;
}

void require_same_files(const RunRecord& run, const RunConfig& config) {
  std::vector<InputFile> here;
  WiringConfig wiring = config.wiring;
  for (const auto& [key, path] : path_keys(wiring))
    if (is_there(*path)) here.push_back({{key, fs::absolute(*path)}, sha256_of_file(*path)});
  if (!config.init_from.empty() && is_there(resolve_zoo(config.init_from))) {
    const fs::path network = find_network(config.init_from);
    here.push_back({{"init_from", fs::absolute(network)}, sha256_of_file(network)});
  }
  const std::vector<InputFile> before = recorded_inputs(run.directory);
  for (const InputFile& input : here) {
    const auto old = std::ranges::find(before, input.key, &InputFile::key);
    if (old != before.end() && old->sha256 != input.sha256 && old->path != input.path)
      throw UsageError(
          fmt::format("{}: {} = {} is not the file that the run read, which is or was {}; "
                      "name that one, or use another directory",
                      run.directory.string(), input.key, input.path.string(), old->path.string()));
  }
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
