// A task in words, for `lmrnn tasks show`.
#include <fmt/format.h>

#include <cmath>
#include <numbers>
#include <string>

#include "tasks/battery_data.hpp"

namespace lmrnn {
namespace {

std::string_view way(std::int8_t sign) {
  return sign > 0 ? "counter-clockwise (r, +)" : "clockwise (l, -)";
}

std::string degrees(double radians) {
  return fmt::format("{:.4g}", radians * 180 / std::numbers::pi);
}

/// Speeds at which int and seq move the response.
struct Speeds {
  std::string interval, sequence;
};

Speeds speeds(const BatteryConfig& config, const Semantics& semantics, const BaseTask& base) {
  if (semantics.int_shift) {
    const std::string speed = degrees(config.omega * 100) + " degrees per 100 ms";
    return {speed, speed};
  }
  const std::string by_index = "1 direction per 100 ms";
  const bool in_radians = base.family == Family::reach;
  return {in_radians ? degrees(1) + " degrees per 100 ms" : by_index, by_index};
}

std::string modifiers_in_words(const BatteryConfig& config, const Semantics& semantics, Task task) {
  const BaseTask& base = task.base_task();
  const auto [interval, sequence] = speeds(config, semantics, base);
  std::string text;
  if (task.interval != 0) {
    const bool moves_stimulus = base.family == Family::reach && !semantics.int_direction;
    text += moves_stimulus
                ? fmt::format(
                      "int: the stimulus is shown shifted {} from the response asked for, by {} "
                      "of delay; the shift is to be undone.\n",
                      way(task.interval), interval)
                : fmt::format("int: the response is shifted {}, by {} of delay.\n",
                              way(task.interval), interval);
  }
  if (task.sequence != 0)
    text += fmt::format("seq: the response moves {} during the decision period, by {}.\n",
                        way(task.sequence), sequence);
  return text;
}

std::string provenance(Task task) {
  if (task.in_published_code()) return "Source: Yang et al. 2019; published Mod-Cog code.\n";
  if (task.base == 0 && task.interval != 0)
    return "Source: this project (a twelfth base for int; not in the published code).\n";
  return "Source: this project, by the formulas of the published code (extrapolated: the code does "
         "not define this combination).\n";
}

}  // namespace

std::string describe_task(const Battery& battery, std::size_t index_of_task) {
  const BatteryData& data = data_of(battery);
  const TaskSetup& setup = data.setups.at(index_of_task);
  const BaseTask& base = *setup.base;
  std::string text =
      fmt::format("{}  ({} family)\n{}\n", setup.task.name(), family_name(base.family), base.words);
  text += modifiers_in_words(data.config, data.semantics, setup.task);
  text += "Periods: ";
  std::string separator;
  for (std::size_t p = 0; p < n_periods; ++p) {
    const auto period = static_cast<Period>(p);
    if (!setup.has(period)) continue;
    text += fmt::format("{}{} {}", separator, period_name(base.family, period),
                        in_words(setup.durations[p]));
    separator = "; ";
  }
  return text + ".\n" + provenance(setup.task);
}

}  // namespace lmrnn
