#include <fmt/format.h>

#include "core/shared/text.hpp"
#include "lmrnn/evaluate.hpp"
#include "lmrnn/seed.hpp"

namespace lmrnn {
namespace {

const std::string& entry(const NetworkMetadata& metadata, const std::string& key,
                         const std::filesystem::path& path) {
  const auto found = metadata.find(key);
  if (const auto source = metadata.find("source");
      found == metadata.end() && source != metadata.end())
    throw UsageError(fmt::format(
        "{}: was trained on your own data (\"{}\"), and this needs a network that was trained on a "
        "battery of tasks; in Python, lmrnn.Network.load(...).forward computes its outputs",
        path.string(), source->second));
  if (found == metadata.end())
    throw UsageError(fmt::format(
        "{}: does not say what it was trained on (no \"{}\"); use a network that lmrnn train wrote",
        path.string(), key));
  return found->second;
}

}  // namespace

NetworkMetadata describe_training(const Battery& battery, const WiringConfig& wiring, Seed seed,
                                  const Sheet& sheet) {
  NetworkMetadata metadata{{"tasks", fmt::format("{}", fmt::join(names_of(battery.tasks()), ","))},
                           {"battery", to_toml(write_config(battery.config()))},
                           {"wiring", to_toml(write_config(wiring))},
                           {"seed", std::to_string(seed.value)}};
  if (sheet.coordinates) metadata["coordinates"] = coordinates_text(sheet);
  return metadata;
}

std::string coordinates_text(const Sheet& sheet) {
  std::string text;
  if (!sheet.coordinates) return text;
  const std::size_t n = sheet.coordinates->n_dimensions;
  const std::vector<double>& values = sheet.coordinates->values;
  for (std::size_t k = 0; k < values.size(); ++k)
    text += fmt::format("{}{}", values[k], k % n + 1 == n ? "\n" : " ");
  return text;
}

Sheet sheet_of(const WiringConfig& wiring, const NetworkMetadata& metadata,
               const std::filesystem::path& path) {
  const auto found = metadata.find("coordinates");
  if (found == metadata.end()) {
    if (!wiring.coordinates_path) return wiring.sheet();
    throw UsageError(
        fmt::format("{}: was trained with the coordinates in {}, but does not hold them; use a "
                    "network that lmrnn train wrote",
                    path.string(), *wiring.coordinates_path));
  }
  std::vector<double> values;
  std::size_t n_lines = 0;
  for (const std::string_view line : split(found->second, '\n')) {
    if (trimmed(line).empty()) continue;
    ++n_lines;
    for (const std::string_view field : split(trimmed(line), ' ')) {
      const auto value = number_from<double>(field);
      if (!value)
        throw UsageError(
            fmt::format("{}: \"{}\" in its coordinates is not a number; use a network "
                        "that lmrnn train wrote",
                        path.string(), field));
      values.push_back(*value);
    }
  }
  const std::size_t n_dimensions = n_lines > 0 ? values.size() / n_lines : 0;
  return with_coordinates(wiring.sheet(), n_dimensions, std::move(values),
                          path.string() + ": coordinates");
}

TrainedOn trained_on(const NetworkMetadata& metadata, const std::filesystem::path& path) {
  TrainedOn result;
  const std::string name = path.string();
  read_config(result.battery, parse_toml(entry(metadata, "battery", path), name + " (battery)"));
  read_config(result.wiring, parse_toml(entry(metadata, "wiring", path), name + " (wiring)"));
  result.sheet = sheet_of(result.wiring, metadata, path);
  result.seed = seed_from(name + ": seed", entry(metadata, "seed", path));
  for (const std::string_view task : split(entry(metadata, "tasks", path), ','))
    result.tasks.emplace_back(task);
  // The file has no names of rule inputs, so their order must be the one of this version.
  if (names_of(Battery(result.battery, result.seed).tasks()) != result.tasks)
    throw UsageError(fmt::format(
        "{}: its rule inputs stand for tasks in another order than this version of lmrnn has; "
        "use the version that trained it",
        name));
  return result;
}

}  // namespace lmrnn
