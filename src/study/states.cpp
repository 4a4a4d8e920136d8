#include "study/states.hpp"

#include <filesystem>
#include <set>

#include "study/store.hpp"

namespace lmrnn {

namespace fs = std::filesystem;

namespace {

/// Directories of runs that diverged, and of runs that can never begin because they start from one
/// of these. One pass is enough: a parent comes before its children in the plan.
std::set<std::string> lost_directories(const StudyPlan& plan, const ResultLookup& lookup) {
  std::set<std::string> lost;
  for (const PlannedRun& run : plan.runs)
    if (run.settled && (lookup.over(run) == RunState::diverged || lost.contains(run.parent)))
      lost.insert(run.directory_name());
  return lost;
}

/// For each run, whether a run that is not over starts from its directory. The loop goes backwards,
/// because children come after their parents.
std::vector<std::uint8_t> needed_directories(const StudyPlan& plan, const ResultLookup& lookup,
                                             const std::set<std::string>& lost) {
  std::vector<std::uint8_t> needed(plan.runs.size());
  std::set<std::string> wanted;
  for (std::size_t i = plan.runs.size(); i-- > 0;) {
    const PlannedRun& run = plan.runs[i];
    if (!run.settled || lost.contains(run.directory_name())) continue;
    needed[i] = wanted.contains(run.directory_name());
    const auto over = lookup.over(run);
    const bool to_do = !over || (needed[i] && over != RunState::done);
    if (to_do && !run.parent.empty()) {
      wanted.insert(run.parent);
      wanted.insert(run.first);
    }
  }
  return needed;
}

RunStatus status_of(const Study& study, const PlannedRun& run, const ResultLookup& lookup,
                    bool directory_needed, const std::set<std::string>& lost) {
  if (!run.settled) return {RunState::waiting, {}, {}};
  const auto over = lookup.over(run);
  const auto failure = read_failure(study, run);
  const bool again = over == RunState::recorded && directory_needed;
  if (over && !again) return {*over, {}, failure ? failure->error : std::string()};
  if (auto owner = claim_owner(study, run)) return {RunState::running, *owner, {}};
  if (failure) return {RunState::failed, {}, failure->error};
  if (lost.contains(run.parent))
    return {RunState::waiting, {}, "it starts from " + run.parent + ", which diverged"};
  if (!run.parent.empty()) {
    std::error_code error;
    const fs::path runs = study.out / "runs";
    if (!fs::exists(runs / run.parent / "DONE", error) ||
        !fs::exists(runs / run.first / "DONE", error))
      return {RunState::waiting, {}, {}};
  }
  std::error_code error;
  const bool begun = fs::exists(run_directory(study, run) / "config.toml", error);
  return {begun ? RunState::interrupted : RunState::planned, {}, {}};
}

}  // namespace

std::vector<RunStatus> study_status(const Study& study, const StudyPlan& plan,
                                    const ResultLookup& lookup) {
  const std::set<std::string> lost = lost_directories(plan, lookup);
  const auto needed = needed_directories(plan, lookup, lost);
  std::vector<RunStatus> states;
  for (std::size_t i = 0; i < plan.runs.size(); ++i)
    states.push_back(status_of(study, plan.runs[i], lookup, needed[i] != 0, lost));
  return states;
}

std::vector<RunStatus> study_status(const Study& study, const StudyPlan& plan) {
  return study_status(study, plan, ResultLookup(study));
}

}  // namespace lmrnn
