#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "lmrnn/evaluate.hpp"

namespace lmrnn {
namespace {

std::vector<std::string> task_names(const Battery& battery) {
  std::vector<std::string> names;
  for (const Task& task : battery.tasks()) names.push_back(task.name());
  return names;
}

const std::string& entry(const NetworkMetadata& metadata, const std::string& key,
                         const std::filesystem::path& path) {
  const auto found = metadata.find(key);
  if (found == metadata.end())
    throw UsageError(fmt::format(
        "{}: does not say what it was trained on (no \"{}\"); use a network that lmrnn train wrote",
        path.string(), key));
  return found->second;
}

}  // namespace

NetworkMetadata describe_training(const Battery& battery, const WiringConfig& wiring, Seed seed) {
  return {{"tasks", fmt::format("{}", fmt::join(task_names(battery), ","))},
          {"battery", to_toml(write_config(battery.config()))},
          {"wiring", to_toml(write_config(wiring))},
          {"seed", std::to_string(seed.value)}};
}

TrainedOn trained_on(const NetworkMetadata& metadata, const std::filesystem::path& path) {
  TrainedOn result;
  const std::string name = path.string();
  read_config(result.battery, parse_toml(entry(metadata, "battery", path), name + " (battery)"));
  read_config(result.wiring, parse_toml(entry(metadata, "wiring", path), name + " (wiring)"));
  const std::string& seed = entry(metadata, "seed", path);
  const auto [end, error] =
      std::from_chars(seed.data(), seed.data() + seed.size(), result.seed.value);
  if (error != std::errc() || end != seed.data() + seed.size())
    throw UsageError(fmt::format("{}: seed \"{}\" is not a whole number", name, seed));
  std::string tasks = entry(metadata, "tasks", path);
  for (std::size_t begin = 0; begin <= tasks.size();) {
    const std::size_t end_of_name = std::min(tasks.find(',', begin), tasks.size());
    result.tasks.push_back(tasks.substr(begin, end_of_name - begin));
    begin = end_of_name + 1;
  }
  // Rule inputs have no names of their own: the order must be the one that this version gives.
  if (task_names(Battery(result.battery, result.seed)) != result.tasks)
    throw UsageError(fmt::format(
        "{}: its rule inputs stand for tasks in another order than this version of lmrnn has; "
        "use the version that trained it",
        name));
  return result;
}

}  // namespace lmrnn
