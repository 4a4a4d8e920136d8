// A run of a fraction of a second, and the content of its directory.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>

#include "lmrnn/files.hpp"
#include "lmrnn/run.hpp"

namespace lmrnn {

/// Sixteen units, three tasks with exact ceilings, 20 steps.
inline RunConfig small_run_config() {
  RunConfig config;
  config.seed = 11;
  config.battery.tasks = "go,dlygointr,antiseqr";
  config.wiring.rows = config.wiring.cols = 4;
  config.wiring.radius = 1;
  config.stream.batch = 20;
  config.stream.steps = 40;
  config.train.steps = 20;
  config.train.block = 8;  // three blocks, the last one smaller
  config.train.log_every = 3;
  config.evaluation.every = 8;
  config.evaluation.trials = 30;
  config.checkpoint.every = 5;
  return config;
}

/// A directory that is removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "lmrnn-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw RunError(name + ": cannot be made");
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// Both files of the checkpoint of a step, as bytes.
inline std::string checkpoint_bytes(const std::filesystem::path& run, std::int64_t step) {
  const std::filesystem::path directory = checkpoint_path(run, step);
  return read_file(directory / "network.safetensors") + read_file(directory / "state.safetensors");
}

/// The rows of metrics.csv or tasks.csv without columns that depend on the clock.
inline std::string timeless(const std::filesystem::path& csv) {
  const std::string text = read_file(csv);
  if (csv.filename() != "metrics.csv") return text;
  std::string kept;
  int column = 0;
  for (const char c : text) {
    if (column != 2 || c == '\n') kept += c;
    if (c == ',') ++column;
    if (c == '\n') column = 0;
  }
  return kept;
}

}  // namespace lmrnn
