#include "lmrnn/golden.hpp"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <numbers>
#include <optional>
#include <tuple>

namespace lmrnn {
namespace {

using nlohmann::json;

constexpr double tolerance = 1e-6;

/// A difference between a line and our trial, as text for the message.
struct Mismatch {
  std::string what;
};

/// Batteries of one task each, by task, dt and n_ring.
class Batteries {
 public:
  explicit Batteries(const SemanticsConfig& semantics) : semantics_(semantics) {}

  const Battery& get(const std::string& task, double dt, std::int64_t n_ring) {
    const auto key = std::tuple(task, dt, n_ring);
    const auto found = batteries_.find(key);
    if (found != batteries_.end()) return found->second;
    BatteryConfig config;
    config.tasks = task;
    config.dt = dt;
    config.n_ring = n_ring;
    config.semantics = semantics_;
    // The seed does not matter: the conditions come from the file.
    return batteries_.emplace(key, Battery(config, Seed{0})).first->second;
  }

 private:
  SemanticsConfig semantics_;
  std::map<std::tuple<std::string, double, std::int64_t>, Battery> batteries_;
};

double angle_of(const json& params, const char* name, std::int64_t n_ring) {
  return 2 * std::numbers::pi * params.at(name).get<double>() / static_cast<double>(n_ring);
}

void read_reach(const json& params, std::int64_t n_ring, const BaseTask& base,
                const Semantics& semantics, Conditions& conditions) {
  conditions.modality = params.at("modality").get<int>();
  conditions.direction = angle_of(params, "direction", n_ring);
  if (semantics.int_direction && base.anti) conditions.direction += std::numbers::pi;
}

void read_decision(const json& params, std::int64_t n_ring, Conditions& conditions) {
  conditions.directions = {angle_of(params, "direction1", n_ring),
                           angle_of(params, "direction2", n_ring)};
  for (std::size_t m = 0; m < 2; ++m)
    for (std::size_t s = 0; s < 2; ++s) {
      const auto name = fmt::format("coh{}_mod{}", s + 1, m + 1);
      if (params.contains(name)) conditions.strength[m][s] = params.at(name).get<double>();
    }
  conditions.choice = params.at("choice").get<int>() - 1;
}

void read_match(const json& params, std::int64_t n_ring, Conditions& conditions) {
  conditions.modality = params.at("modality").get<int>();
  conditions.match = params.at("match").get<bool>();
  conditions.sample = angle_of(params, "sample_direction", n_ring);
  conditions.test = angle_of(params, "test_direction", n_ring);
}

/// Steps of the period called `name` in the file; 0 if there is none.
std::int32_t steps_of(const json& line, std::string_view name) {
  for (const json& period : line.at("periods"))
    if (period.at(0).get<std::string>() == name)
      return period.at(2).get<std::int32_t>() - period.at(1).get<std::int32_t>();
  return 0;
}

Conditions read_conditions(const json& line, const Battery& battery) {
  const BaseTask& base = battery.tasks()[0].base_task();
  const json& params = line.at("params");
  const std::int64_t n_ring = battery.config().n_ring;
  Conditions conditions;
  conditions.noise = false;
  const auto durations = battery.durations(0);
  for (std::size_t p = 0; p < n_periods; ++p) {
    const auto period = static_cast<Period>(p);
    if (durations[p].values.empty()) continue;
    // The duration of the decision is the task's own, so that a wrong one in the file is found.
    if (period == Period::delay && params.contains("delay_ms"))
      conditions.duration[p] = params.at("delay_ms").get<double>();
    else if (durations[p].kind == Duration::Kind::fixed)
      conditions.duration[p] = durations[p].values[0];
    else  // half a step more, so that rounding cannot lose a step
      conditions.duration[p] =
          (steps_of(line, period_name(base.family, period)) + 0.5) * battery.config().dt;
  }
  switch (base.family) {
    case Family::reach:
      read_reach(params, n_ring, base, battery.semantics(), conditions);
      break;
    case Family::match:
      read_match(params, n_ring, conditions);
      break;
    default:
      read_decision(params, n_ring, conditions);
  }
  return conditions;
}

void compare_periods(const json& line, const Trial& trial, Family family) {
  if (line.at("steps").get<std::int32_t>() != trial.n_steps)
    throw Mismatch{fmt::format("{} steps in the file, {} composed",
                               line.at("steps").get<std::int32_t>(), trial.n_steps)};
  json composed = json::array();
  for (const PeriodSpan& span : trial.periods)
    composed.push_back({period_name(family, span.period), span.first, span.last});
  if (line.at("periods") != composed)
    throw Mismatch{fmt::format("periods {} in the file, {} composed", line.at("periods").dump(),
                               composed.dump())};
}

/// Largest absolute difference. Throws if the runs of the file do not cover the trial exactly.
double compare_observations(const json& line, const Trial& trial) {
  double worst = 0;
  std::int32_t covered = 0;
  for (const json& run : line.at("observation")) {
    const auto first = run.at(0).get<std::int32_t>(), last = run.at(1).get<std::int32_t>();
    const auto values = run.at(2).get<std::vector<double>>();
    if (first != covered || last < first || last > trial.n_steps ||
        values.size() != static_cast<std::size_t>(trial.n_channels))
      throw Mismatch{fmt::format("observation [{}, {}) of {} channels does not fit", first, last,
                                 values.size())};
    for (std::int32_t t = first; t < last; ++t)
      for (std::size_t c = 0; c < values.size(); ++c) {
        const std::size_t at = static_cast<std::size_t>(t * trial.n_channels) + c;
        worst = std::max(worst, std::abs(values[c] - static_cast<double>(trial.inputs[at])));
      }
    covered = last;
  }
  if (covered != trial.n_steps)
    throw Mismatch{fmt::format("observations end at step {} of {}", covered, trial.n_steps)};
  return worst;
}

void compare_targets(const json& line, const Trial& trial) {
  const auto targets = line.at("target").get<std::vector<std::int32_t>>();
  for (std::size_t t = 0; t < std::max(targets.size(), trial.targets.size()); ++t) {
    if (t >= targets.size() || t >= trial.targets.size())
      throw Mismatch{
          fmt::format("{} targets in the file, {} composed", targets.size(), trial.targets.size())};
    if (targets[t] != trial.targets[t])
      throw Mismatch{fmt::format("target {} at step {} in the file, {} composed", targets[t], t,
                                 trial.targets[t])};
  }
}

/// Compares one line; throws Mismatch, UsageError or json::exception.
void verify_line(const std::string& text, Batteries& batteries, double& max_abs_error) {
  const json line = json::parse(text);
  const auto name = line.at("task").get<std::string>();
  const Battery& battery =
      batteries.get(name, line.at("dt_ms").get<double>(), line.at("n_ring").get<std::int64_t>());
  const Trial trial = battery.compose(0, read_conditions(line, battery));
  compare_periods(line, trial, battery.tasks()[0].base_task().family);
  const double error = compare_observations(line, trial);
  max_abs_error = std::max(max_abs_error, error);
  if (!(error <= tolerance))
    throw Mismatch{fmt::format("{}: observation differs by {:.3g}", name, error)};
  compare_targets(line, trial);
}

}  // namespace

VerifyResult& VerifyResult::operator+=(const VerifyResult& other) {
  n_trials += other.n_trials;
  n_mismatches += other.n_mismatches;
  max_abs_error = std::max(max_abs_error, other.max_abs_error);
  messages.insert(messages.end(), other.messages.begin(), other.messages.end());
  return *this;
}

VerifyResult verify_golden(const std::filesystem::path& path, const SemanticsConfig& semantics) {
  std::ifstream file(path);
  if (!file)
    throw UsageError(path.string() + ": cannot be read; give a file of reference trials (.jsonl)");
  Batteries batteries(semantics);
  VerifyResult result;
  const auto mismatch = [&](const std::string& what) {
    ++result.n_mismatches;
    result.messages.push_back(fmt::format("{}:{}: {}", path.string(), result.n_trials, what));
  };
  for (std::string line; std::getline(file, line);) {
    ++result.n_trials;
    try {
      verify_line(line, batteries, result.max_abs_error);
    } catch (const Mismatch& difference) {
      mismatch(difference.what);
    } catch (const Error& error) {
      mismatch(error.what());
    } catch (const json::exception& error) {
      mismatch(fmt::format("not a complete reference trial ({}); restore the file", error.what()));
    }
  }
  if (result.n_trials == 0)
    throw UsageError(path.string() + ": empty; a file of reference trials has one per line");
  return result;
}

}  // namespace lmrnn
