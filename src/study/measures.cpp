#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/shared/text.hpp"
#include "lmrnn/error.hpp"
#include "study/nothing.hpp"
#include "study/summary.hpp"

namespace lmrnn {
namespace {

struct Measure {
  std::string_view name;
  double (*of)(const RunSummary&);
};

double count_solved(const RunSummary& s, std::string_view kind) {
  return static_cast<double>(std::ranges::count_if(s.tasks, [kind](const TaskResult& t) {
    return t.solved && (kind.empty() || kind_of(t.name) == kind);
  }));
}

constexpr Measure measures[] = {
    {"final_share", [](const RunSummary& s) { return s.final_share(); }},
    {"final_accuracy", [](const RunSummary& s) { return s.final_accuracy; }},
    {"final_trial_accuracy", [](const RunSummary& s) { return s.final_trial_accuracy; }},
    {"worst_share", [](const RunSummary& s) { return s.worst_share(); }},
    {"held_out_share", [](const RunSummary& s) { return s.held_out_share(); }},
    {"area", [](const RunSummary& s) { return s.area(); }},
    {"late_gain", [](const RunSummary& s) { return s.late_gain(); }},
    {"tasks_solved", [](const RunSummary& s) { return count_solved(s, ""); }},
    {"solved_base", [](const RunSummary& s) { return count_solved(s, "base"); }},
    {"solved_int", [](const RunSummary& s) { return count_solved(s, "int"); }},
    {"solved_seq", [](const RunSummary& s) { return count_solved(s, "seq"); }},
    {"solved_intseq", [](const RunSummary& s) { return count_solved(s, "intseq"); }},
    {"clipped_share", [](const RunSummary& s) { return s.clipped_share; }},
    {"learning_rate", [](const RunSummary& s) { return s.learning_rate; }},
    {"density", [](const RunSummary& s) { return s.density(); }},
    {"units", [](const RunSummary& s) { return static_cast<double>(s.n_units); }},
    {"synapses", [](const RunSummary& s) { return static_cast<double>(s.n_synapses); }},
    {"parameters", [](const RunSummary& s) { return static_cast<double>(s.n_parameters); }},
    {"multiply_adds", [](const RunSummary& s) { return s.multiply_adds.value_or(nothing); }},
    {"wire", [](const RunSummary& s) { return s.wire.value_or(nothing); }}};

constexpr std::string_view steps_to = "steps_to_", trials_to = "trials_to_";

}  // namespace

std::string mark_text(double mark) {
  return fmt::format("{}", std::round(mark * 1e6) / 1e4);
}

std::vector<std::string> measure_names(std::span<const double> marks) {
  std::vector<std::string> names;
  for (const Measure& m : measures) names.emplace_back(m.name);
  for (const double mark : marks) {
    names.push_back(std::string(steps_to) + mark_text(mark));
    names.push_back(std::string(trials_to) + mark_text(mark));
  }
  return names;
}

std::optional<std::string> why_absent(const RunConfig& config, std::string_view name) {
  if (name == "wire" && !config.wiring.has_wire_lengths())
    return "with several areas, wires have a length only if wiring.between_length is set";
  const auto held_out = [](const auto& weight) { return !(weight.second > 0); };
  if (name == "held_out_share" && std::ranges::none_of(config.battery.weights, held_out))
    return "no task is held out; give some the weight 0 in battery.weights";
  // It compares the end with the last quarter's beginning.
  const auto every = static_cast<double>(config.evaluation.every);
  if (name == "late_gain" && (every <= 0 || every > 0.75 * static_cast<double>(config.train.steps)))
    return "no evaluation falls into the first three quarters of the run; set a smaller "
           "evaluation.every";
  return std::nullopt;
}

std::optional<TimeToMark> censored_measure(const RunSummary& summary, std::string_view name) {
  const bool steps = name.starts_with(steps_to);
  if (!steps && !name.starts_with(trials_to)) return std::nullopt;
  const std::string_view text = name.substr(steps ? steps_to.size() : trials_to.size());
  const double percent = number_from<double>(text).value_or(0);
  return steps ? summary.steps_to(percent / 100) : summary.trials_to(percent / 100);
}

bool is_cost(std::string_view name) noexcept {
  return name == "wire" || name.starts_with(steps_to) || name.starts_with(trials_to);
}

double measure(const RunSummary& summary, std::string_view name) {
  for (const Measure& m : measures)
    if (m.name == name) return m.of(summary);
  if (const auto time = censored_measure(summary, name))
    return std::isfinite(time->time) ? time->time : nothing;
  throw UsageError(fmt::format("\"{}\" is not a measure of a run", name));
}

}  // namespace lmrnn
