#include "study/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"
#include "lmrnn/network.hpp"
#include "lmrnn/run.hpp"
#include "lmrnn/run_tables.hpp"
#include "lmrnn/tasks.hpp"
#include "study/nothing.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

void require_table(const fs::path& path) {
  if (!fs::exists(path))
    throw UsageError(path.string(), "is missing", "remove the run directory and run it again");
}

void summarise_metrics(RunSummary& s, const fs::path& dir) {
  require_table(dir / "metrics.csv");
  double last_step = 0, clipped = 0;
  for (const MetricsRow& row : read_metrics(dir)) {
    const auto step = static_cast<double>(row.step);
    clipped += (step - last_step) * row.clipped_share;
    last_step = step;
    s.seconds = row.seconds;
    if (!row.mean_share_of_ceiling) continue;
    s.curve_steps.push_back(step);
    s.curve_trials.push_back(static_cast<double>(row.trials));
    s.curve_share.push_back(*row.mean_share_of_ceiling);
    s.final_accuracy = row.mean_accuracy.value_or(nothing);
    s.final_trial_accuracy = row.mean_trial_accuracy.value_or(nothing);
    s.wire = row.wire;
  }
  s.clipped_share = last_step > 0 ? clipped / last_step : 0;
}

void summarise_tasks(RunSummary& s, const fs::path& dir) {
  require_table(dir / "tasks.csv");
  for (const TaskRow& row : last_task_rows(dir))
    s.tasks.push_back({row.task, row.share_of_ceiling, row.solved});
}

// Sum over all sessions; nothing if an earlier version, which did not record it, ran one of them.
std::optional<double> processor_seconds(const Json& sessions) {
  const auto number = [](const Json& session, const char* key) -> std::optional<double> {
    if (!session.is_object() || !session.contains(key) || !session[key].is_number()) return {};
    return session[key].get<double>();
  };
  double sum = 0;
  for (std::size_t i = 0; i < sessions.size(); ++i) {
    const auto seconds = number(sessions[i], "processor_seconds");
    // A session that was killed before its first checkpoint contributed nothing.
    const bool left_nothing = i + 1 < sessions.size() && number(sessions[i + 1], "first_step") ==
                                                             number(sessions[i], "first_step");
    if (!seconds && !left_nothing) return {};
    sum += seconds.value_or(0);
  }
  return sum;
}

void read_provenance(RunSummary& s, const fs::path& path) {
  const Json provenance = Json::parse(read_file(path), nullptr, false);
  if (provenance.is_discarded() || !provenance.contains("sessions") ||
      !provenance["sessions"].is_array() || provenance["sessions"].empty())
    return;
  s.processor_seconds = processor_seconds(provenance["sessions"]);
  const Json& session = provenance["sessions"].front();
  const auto text = [&](const char* key) {
    return session.contains(key) && session[key].is_string() ? session[key].get<std::string>()
                                                             : std::string();
  };
  s.version = text("version");
  s.commit = text("commit");
  s.simd = text("simd");
  s.processor = text("processor");
  s.host = text("host");
  s.started = text("started");
  if (session.contains("threads") && session["threads"].is_number_integer())
    s.threads = session["threads"].get<std::int64_t>();
}

// Tasks of weight 0 were held out; a task's own name takes precedence over a glob.
void mark_held_out(RunSummary& s, const BatteryConfig& battery) {
  for (const auto& [pattern, weight] : battery.weights) {
    const auto meant = select_tasks(pattern);
    for (TaskResult& t : s.tasks) {
      const bool itself = pattern == t.name;
      const bool among = std::ranges::find(meant, parse_task(t.name)) != meant.end();
      if (itself || (among && !battery.weights.contains(t.name))) t.trained = weight > 0;
    }
  }
}

// `unit` is the number of units of `times` per step; used only if the run has no evaluation.
TimeToMark time_to(const RunSummary& s, const std::vector<double>& times, double mark,
                   double unit) {
  if (times.empty()) return {unit * static_cast<double>(s.horizon), false};
  TimeToMark t = time_to_mark(times, s.curve_share, mark);
  // A run that diverged counts as never reaching the mark, even if it had passed it before: it
  // counts as observed up to the horizon, in the unit of `times`. A run that a criterion ended was
  // observed only until then.
  if (s.outcome != "diverged") return t;
  t.reached = false;
  if (times.back() > 0 && s.curve_steps.back() > 0)
    t.time = times.back() * (static_cast<double>(s.horizon) / s.curve_steps.back());
  return t;
}

}  // namespace

double RunSummary::density() const noexcept {
  const auto n = static_cast<double>(n_units);
  return n > 0 ? static_cast<double>(n_synapses) / (n * n) : 0;
}
double RunSummary::final_share() const noexcept {
  return curve_share.empty() ? 0 : curve_share.back();
}
double RunSummary::worst_share() const noexcept {
  double worst = tasks.empty() ? 0 : tasks.front().share;
  for (const TaskResult& t : tasks) worst = std::min(worst, t.share);
  return worst;
}
double RunSummary::held_out_share() const noexcept {
  double sum = 0, n = 0;
  for (const TaskResult& t : tasks) {
    if (t.trained) continue;
    sum += t.share;
    ++n;
  }
  return sum / n;
}
double RunSummary::area() const {
  if (curve_steps.empty()) return 0;
  const double end = static_cast<double>(horizon);
  if (outcome != "diverged" || curve_steps.back() >= end)
    return area_under_curve(curve_steps, curve_share);
  // It counts with its last evaluation.
  std::vector<double> steps = curve_steps, shares = curve_share;
  steps.push_back(end);
  shares.push_back(shares.back());
  return area_under_curve(steps, shares);
}
double RunSummary::late_gain() const noexcept {
  if (curve_steps.empty() || outcome == "diverged") return nothing;
  const double quarter = 0.75 * curve_steps.back();
  const auto after = std::ranges::upper_bound(curve_steps, quarter);
  if (after == curve_steps.begin() || after == curve_steps.end()) return nothing;
  const auto i = static_cast<std::size_t>(after - curve_steps.begin());
  const double place = (quarter - curve_steps[i - 1]) / (curve_steps[i] - curve_steps[i - 1]);
  return curve_share.back() - std::lerp(curve_share[i - 1], curve_share[i], place);
}
TimeToMark RunSummary::steps_to(double mark) const {
  return time_to(*this, curve_steps, mark, 1);
}
TimeToMark RunSummary::trials_to(double mark) const {
  return time_to(*this, curve_trials, mark,
                 trials_per_step.value_or(std::numeric_limits<double>::infinity()));
}

std::string_view kind_of(const std::string& task) {
  const Task t = parse_task(task);
  if (t.interval != 0) return t.sequence != 0 ? "intseq" : "int";
  return t.sequence != 0 ? "seq" : "base";
}

RunSummary summarise(const Study& study, const PlannedRun& run, const fs::path& dir,
                     bool diverged) {
  RunSummary s;
  s.hash = run.hash;
  s.study = study.name;
  s.run = run.name;
  s.stage = to_name(run.stage);
  s.seed = run.seed;
  s.horizon = run.config.train.steps;
  s.learning_rate = run.config.optimiser.learning_rate;
  summarise_metrics(s, dir);
  summarise_tasks(s, dir);
  mark_held_out(s, run.config.battery);
  read_provenance(s, dir / "provenance.json");
  const LoadedNetwork loaded = load_network(find_network(dir));
  const Architecture& a = loaded.network.architecture();
  s.n_units = static_cast<std::int64_t>(a.n_units());
  s.n_synapses = static_cast<std::int64_t>(a.recurrent.n_synapses());
  s.multiply_adds = 0;
  for (const CostRow& row : cost_table(a)) {
    s.n_parameters += static_cast<std::int64_t>(row.n_parameters);
    *s.multiply_adds += row.multiply_adds_forward + row.multiply_adds_backward;
  }
  if (diverged) {
    s.outcome = "diverged";
    if (!s.curve_steps.empty()) {
      s.steps = static_cast<std::int64_t>(s.curve_steps.back());
      s.trials = static_cast<std::int64_t>(s.curve_trials.back());
    }
    return s;
  }
  const Json done = Json::parse(read_file(dir / "DONE"), nullptr, false);
  const auto holds = [&](const char* key, bool (Json::*is)() const noexcept) {
    return done.contains(key) && (done[key].*is)();
  };
  if (!holds("outcome", &Json::is_string) || !holds("steps", &Json::is_number) ||
      !holds("trials", &Json::is_number) || !holds("seconds", &Json::is_number))
    throw UsageError(fmt::format("{}: is damaged; remove the run directory and run it again",
                                 (dir / "DONE").string()));
  s.outcome = done["outcome"].get<std::string>();
  s.steps = done["steps"].get<std::int64_t>();
  s.trials = done["trials"].get<std::int64_t>();
  s.seconds = done["seconds"].get<double>();
  return s;
}

}  // namespace lmrnn
