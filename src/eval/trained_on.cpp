#include <fmt/format.h>

#include "core/shared/text.hpp"
#include "lmrnn/evaluate.hpp"
#include "lmrnn/seed.hpp"

namespace lmrnn {
namespace {

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
  return {{"tasks", fmt::format("{}", fmt::join(names_of(battery.tasks()), ","))},
          {"battery", to_toml(write_config(battery.config()))},
          {"wiring", to_toml(write_config(wiring))},
          {"seed", std::to_string(seed.value)}};
}

TrainedOn trained_on(const NetworkMetadata& metadata, const std::filesystem::path& path) {
  TrainedOn result;
  const std::string name = path.string();
  read_config(result.battery, parse_toml(entry(metadata, "battery", path), name + " (battery)"));
  read_config(result.wiring, parse_toml(entry(metadata, "wiring", path), name + " (wiring)"));
  result.seed = seed_from(name + ": seed", entry(metadata, "seed", path));
  for (const std::string_view task : split(entry(metadata, "tasks", path), ','))
    result.tasks.emplace_back(task);
  // Rule inputs have no names of their own: the order must be the one that this version gives.
  if (names_of(Battery(result.battery, result.seed).tasks()) != result.tasks)
    throw UsageError(fmt::format(
        "{}: its rule inputs stand for tasks in another order than this version of lmrnn has; "
        "use the version that trained it",
        name));
  return result;
}

}  // namespace lmrnn
