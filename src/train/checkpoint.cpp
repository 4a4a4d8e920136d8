#include "train/checkpoint.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "core/shared/descriptor.hpp"
#include "core/shared/text.hpp"
#include "lmrnn/files.hpp"
#include "lmrnn/run.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "step-";
// Names of directories that are being written or removed begin with a dot.
constexpr std::string_view unfinished = ".writing-", discarded = ".removing-";
constexpr std::size_t n_counts = 5, n_sums = 2;

[[noreturn]] void fail(const fs::path& path, const std::error_code& error) {
  throw RunError(
      fmt::format("{}: cannot be written ({}); free some space or fix the permissions, "
                  "then resume",
                  path.string(), error.message()));
}

// The step of a directory named step-00000500; -1 for any other name.
std::int64_t step_of(const std::string& name) {
  if (!name.starts_with(prefix)) return -1;
  return number_from<std::int64_t>(std::string_view(name).substr(prefix.size())).value_or(-1);
}

template <class T>
void add(ArrayFile& file, const std::string& name, const std::vector<T>& values) {
  if (!values.empty())
    file.arrays.emplace_back(name, ArrayData::of<T>(std::span<const T>(values), {values.size()}));
}

// The array `name` with `n` entries. Damage is reported together with the remedy.
template <class T>
std::vector<T> take(const ArrayFile& file, const fs::path& path, const std::string& name,
                    std::size_t n) {
  const auto values = file.at(name, path).as<T>();
  if (values.size() != n)
    throw UsageError(
        fmt::format("{}: {} has {} entries instead of {}; remove {} to resume from the "
                    "checkpoint before it",
                    path.string(), name, values.size(), n, path.parent_path().string()));
  return {values.begin(), values.end()};
}

void write_state(const fs::path& path, const TrainingState& state) {
  ArrayFile file;
  file.metadata["format"] = "lmrnn training state";
  file.metadata["step"] = std::to_string(state.step);
  const std::vector<std::uint64_t> counts{static_cast<std::uint64_t>(state.step), state.trials,
                                          state.criterion_met ? 1u : 0u, state.interval_steps,
                                          state.interval_clipped};
  const std::vector<double> sums{state.interval_loss, state.interval_norm};
  add(file, "counts", counts);
  add(file, "sums", sums);
  add(file, "reached", state.passed);
  add(file, "solved", state.solved);
  add(file, "first_moment", state.first_moment);
  add(file, "second_moment", state.second_moment);
  // Written only if they are used, so that the files of other runs stay the same, byte for byte.
  add(file, "weights", state.weights);
  add(file, "evaluated_at", state.evaluated_at);
  add(file, "shares", state.shares);
  add(file, "task_shares", state.task_shares);
  if (state.cooldown_from >= 0)
    add(file, "cooldown_from", std::vector<std::int64_t>{state.cooldown_from});
  add(file, "gains.initial", state.gains.initial);
  add(file, "gains.groups", state.gains.groups);
  add(file, "gains.target", state.gains.target);
  add(file, "gains.source", state.gains.source);
  add(file, "gains.values", state.gains.values);
  add(file, "gains.first_moment", state.gains.first_moment);
  add(file, "gains.second_moment", state.gains.second_moment);
  write_safetensors(path, file);
}

// Gains of `n_synapses` recurrent synapses.
GainState read_gains(const ArrayFile& file, const fs::path& path, std::size_t n_synapses,
                     bool second_moment) {
  GainState gains;
  const std::size_t n = file.at("gains.values", path).n_elements();
  gains.initial = take<float>(file, path, "gains.initial", n_synapses);
  gains.groups = take<std::uint32_t>(file, path, "gains.groups", n_synapses);
  gains.target = take<std::int32_t>(file, path, "gains.target", n);
  gains.source = take<std::int32_t>(file, path, "gains.source", n);
  gains.values = take<float>(file, path, "gains.values", n);
  gains.first_moment = take<float>(file, path, "gains.first_moment", n);
  if (second_moment) gains.second_moment = take<float>(file, path, "gains.second_moment", n);
  for (const std::uint32_t group : gains.groups)
    if (group >= n)
      throw UsageError(fmt::format(
          "{}: a synapse has gain {} of {}; remove {} to resume from the checkpoint before it",
          path.string(), group, n, path.parent_path().string()));
  return gains;
}

}  // namespace

fs::path checkpoint_path(const fs::path& run, std::int64_t step) {
  return run / "checkpoints" / fmt::format("{}{:08}", prefix, step);
}

std::vector<std::int64_t> checkpoint_steps(const fs::path& run) {
  std::vector<std::int64_t> steps;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(run / "checkpoints", error))
    if (const std::int64_t step = step_of(entry.path().filename().string()); step >= 0)
      steps.push_back(step);
  std::ranges::sort(steps);
  return steps;
}

void save_checkpoint(const fs::path& directory, const Network& network,
                     const NetworkMetadata& metadata, const TrainingState& state) {
  const fs::path parent = directory.parent_path();
  const fs::path temporary = parent / (std::string(unfinished) + directory.filename().string());
  std::error_code error;
  fs::remove_all(temporary, error);
  // Creates only these two, not the run's own directory: if that is gone, it would get half a run.
  fs::create_directory(parent, error);
  fs::create_directory(temporary, error);
  if (error) fail(temporary, error);
  try {
    save_network(temporary / "network.safetensors", network, metadata);
    write_state(temporary / "state.safetensors", state);
    sync_directory(temporary);
    fs::rename(temporary, directory);
  } catch (const fs::filesystem_error& problem) {
    fs::remove_all(temporary, error);
    fail(directory, problem.code());
  } catch (...) {
    fs::remove_all(temporary, error);
    throw;
  }
  sync_directory(parent);
}

TrainingState load_state(const fs::path& directory, std::size_t n_parameters, std::size_t n_tasks,
                         bool second_moment, bool averaged, bool adaptive,
                         std::optional<std::size_t> n_synapses_with_gains) {
  const fs::path path = directory / "state.safetensors";
  if (!fs::exists(path))
    throw UsageError(fmt::format(
        "{}: is missing; restore it, or remove {} to resume from the checkpoint before it",
        path.string(), directory.string()));
  const ArrayFile file = read_safetensors(path);
  TrainingState state;
  const auto counts = take<std::uint64_t>(file, path, "counts", n_counts);
  const auto sums = take<double>(file, path, "sums", n_sums);
  state.step = static_cast<std::int64_t>(counts[0]);
  state.trials = counts[1];
  state.criterion_met = counts[2] != 0;
  state.interval_steps = counts[3];
  state.interval_clipped = counts[4];
  state.interval_loss = sums[0];
  state.interval_norm = sums[1];
  if (file.find("reached") != nullptr) {
    state.passed = take<std::uint8_t>(file, path, "reached", n_tasks);
    state.solved = take<std::uint8_t>(file, path, "solved", n_tasks);
  }
  state.first_moment = take<float>(file, path, "first_moment", n_parameters);
  if (second_moment) state.second_moment = take<float>(file, path, "second_moment", n_parameters);
  if (averaged) state.weights = take<float>(file, path, "weights", n_parameters);
  if (const ArrayData* steps = file.find("evaluated_at")) {
    const auto values = steps->as<std::int64_t>();
    state.evaluated_at.assign(values.begin(), values.end());
    state.shares = take<double>(file, path, "shares", values.size());
  }
  if (adaptive && !state.passed.empty())
    state.task_shares = take<double>(file, path, "task_shares", n_tasks);
  if (file.find("cooldown_from") != nullptr)
    state.cooldown_from = take<std::int64_t>(file, path, "cooldown_from", 1).front();
  if (n_synapses_with_gains)
    state.gains = read_gains(file, path, *n_synapses_with_gains, second_moment);
  if (state.step != step_of(directory.filename().string()))
    throw UsageError(
        fmt::format("{}: holds step {}, but its directory names another; give the "
                    "directory its old name back",
                    path.string(), state.step));
  return state;
}

void prune_checkpoints(const fs::path& run, std::int64_t keep_last, std::int64_t keep_every) {
  const fs::path parent = run / "checkpoints";
  const std::vector<std::int64_t> steps = checkpoint_steps(run);
  const auto n_old = static_cast<std::int64_t>(steps.size()) - keep_last;
  for (std::int64_t i = 0; i < n_old; ++i) {
    const std::int64_t step = steps[static_cast<std::size_t>(i)];
    if (keep_every > 0 && step % keep_every == 0) continue;
    const fs::path directory = checkpoint_path(run, step);
    // Renamed first, so that no half-removed directory has a checkpoint's name.
    std::error_code error;
    fs::rename(directory, parent / (std::string(discarded) + directory.filename().string()), error);
  }
  std::vector<fs::path> leftovers;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(parent, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(unfinished) || name.starts_with(discarded))
      leftovers.push_back(entry.path());
  }
  for (const fs::path& path : leftovers) fs::remove_all(path, error);
}

}  // namespace lmrnn
