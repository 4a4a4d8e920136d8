#include "study/plan_lookup.hpp"

#include <cmath>
#include <filesystem>

#include "study/store.hpp"

namespace lmrnn {

namespace fs = std::filesystem;

ResultLookup::ResultLookup(const Study& study) : study_(study) {
  for (RunSummary& row : read_results(study.results)) {
    std::string hash = row.hash;
    recorded_.try_emplace(std::move(hash), std::move(row));
  }
}

std::optional<RunState> ResultLookup::over(const PlannedRun& run) const {
  if (!run.settled) return std::nullopt;
  std::error_code error;
  if (fs::exists(run_directory(study_, run) / "DONE", error)) return RunState::done;
  if (const auto found = recorded_.find(run.hash); found != recorded_.end())
    return found->second.outcome == "diverged" ? RunState::diverged : RunState::recorded;
  if (const auto failure = read_failure(study_, run); failure && failure->diverged)
    return RunState::diverged;
  return std::nullopt;
}

std::optional<RunSummary> ResultLookup::summary(const PlannedRun& run) const {
  const auto state = over(run);
  if (!state) return std::nullopt;
  const auto found = recorded_.find(run.hash);
  const fs::path dir = run_directory(study_, run);
  if (*state == RunState::done) return summarise(study_, run, dir, false);
  if (found != recorded_.end()) return found->second;
  return summarise(study_, run, dir, true);
}

void ResultLookup::record_missing(const StudyPlan& plan) const {
  if (study_.results.empty()) return;
  for (const PlannedRun& run : plan.runs) {
    const auto state = over(run);
    if (!state || recorded_.contains(run.hash)) continue;
    append_result(study_.results, *summary(run));
    if (*state == RunState::done) remove_failure(study_, run);
  }
}

std::optional<RunResult> ResultLookup::operator()(const PlannedRun& run) const {
  if (const auto found = known_.find(run.hash); found != known_.end()) return found->second;
  const auto state = over(run);
  if (!state) return std::nullopt;
  RunResult result;
  result.diverged = *state == RunState::diverged;
  if (!result.diverged) {
    const std::string& name = study_.config.tuning.measure;
    const RunSummary s = *summary(run);
    const double value = measure(s, name);
    if (std::isnan(value))
      throw UsageError(fmt::format(
          "tuning.measure = \"{}\": {} has no such number{}; choose another measure", name,
          run.name, name == "wire" ? " (with several areas, set wiring.between_length)" : ""));
    // Times are compared by their ratios, so the score is a logarithm.
    result.score = censored_measure(s, name) ? -std::log(value) : is_cost(name) ? -value : value;
    result.area = s.area();
  }
  known_[run.hash] = result;
  return result;
}

}  // namespace lmrnn
