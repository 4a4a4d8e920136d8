#include "study/collect.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string_view>
#include <tuple>

#include "core/shared/descriptor.hpp"
#include "lmrnn/files.hpp"
#include "study/states.hpp"
#include "study/store.hpp"

namespace lmrnn {
namespace {

namespace fs = std::filesystem;

// Whatever depends on the machine or the clock is in times.csv alone: the other tables are the
// same, to the last character, however often the study was interrupted.
Table runs_table(const Study& study, const StudyPlan& plan, const StudyResults& results) {
  const auto measures = measure_names(study.config.statistics.marks);
  std::vector<std::string> columns = {"outcome", "steps", "trials"};
  for (const std::string& name : measures) {
    columns.push_back(name);
    if (name.starts_with("steps_to_")) columns.push_back("reached_" + name.substr(9));
  }
  columns.push_back("hash");
  Table table{"runs", with_axes(plan, {"run", "stage", "cell", "seed"}, columns), {}};
  for (const PlannedRun& run : plan.runs) {
    const RunSummary* s = results.of(run);
    if (!s) continue;
    std::vector<TableCell> row{run.name, std::string(to_name(run.stage)), plan.cells[run.cell].name,
                               run.seed};
    add_levels(row, plan.cells[run.cell]);
    row.insert(row.end(), {s->outcome, s->steps, s->trials});
    for (const std::string& name : measures) {
      row.emplace_back(measure(*s, name));
      if (name.starts_with("steps_to_"))
        row.emplace_back(std::int64_t{censored_measure(*s, name)->reached});
    }
    row.emplace_back(run.hash);
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table tasks_table(const StudyPlan& plan, const StudyResults& results) {
  Table table{"tasks",
              with_axes(plan, {"run", "cell", "seed"},
                        {"task", "kind", "share_of_ceiling", "solved", "trained"}),
              {}};
  for (const PlannedRun& run : plan.runs) {
    const RunSummary* s = results.of(run);
    if (!s || run.stage != Stage::report) continue;
    for (const TaskResult& t : s->tasks) {
      std::vector<TableCell> row{run.name, plan.cells[run.cell].name, run.seed};
      add_levels(row, plan.cells[run.cell]);
      row.insert(row.end(), {t.name, std::string(kind_of(t.name)), t.share, std::int64_t{t.solved},
                             std::int64_t{t.trained}});
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

Table times_table(const StudyPlan& plan, const StudyResults& results) {
  Table table{"times",
              {"run", "stage", "seconds", "seconds_per_step", "processor_seconds", "threads",
               "started", "host", "processor", "simd", "version", "commit"},
              {}};
  std::set<std::string_view> told;  // cells may share runs
  for (const PlannedRun& run : plan.runs) {
    const RunSummary* s = results.of(run);
    if (!s || !told.insert(run.name).second) continue;
    const double per_step = s->steps > 0 ? s->seconds / static_cast<double>(s->steps) : 0;
    table.rows.push_back({run.name, std::string(to_name(run.stage)), s->seconds, per_step,
                          s->processor_seconds.value_or(nothing), s->threads, s->started, s->host,
                          s->processor, s->simd, s->version, s->commit});
  }
  return table;
}

Table tuning_table(const Study& study, const StudyPlan& plan) {
  Table table{"tuning",
              with_axes(plan, {"cell"},
                        {"key", "value", "runs", "over", "diverged", "score", "final_score", "best",
                         "inside"}),
              {}};
  for (std::size_t c = 0; c < plan.tuning.size(); ++c)
    for (const Tuning::Value& v : plan.tuning[c].values) {
      std::vector<TableCell> row{plan.cells[c].name};
      add_levels(row, plan.cells[c]);
      const bool best = plan.tuning[c].best == v.value;
      const auto final = std::ranges::find(plan.tuning[c].finals, v.value, &Tuning::Value::value);
      const auto score = [](const Tuning::Value& of) {
        return of.n_over == of.n_runs ? of.score : nothing;
      };
      row.insert(row.end(),
                 {study.config.tuning.key, v.value, static_cast<std::int64_t>(v.n_runs),
                  static_cast<std::int64_t>(v.n_over), static_cast<std::int64_t>(v.n_diverged),
                  score(v), final != plan.tuning[c].finals.end() ? score(*final) : nothing,
                  std::int64_t{best}, std::int64_t{best && plan.tuning[c].inside}});
      table.rows.push_back(std::move(row));
    }
  return table;
}

Table states_table(const Study& study, const StudyPlan& plan) {
  Table table{"states", {"run", "state", "error"}, {}};
  const auto states = study_status(study, plan);
  std::set<std::string_view> told;
  for (std::size_t i = 0; i < plan.runs.size(); ++i)
    if (told.insert(plan.runs[i].name).second)
      table.rows.push_back(
          {plan.runs[i].name, std::string(to_name(states[i].state)), states[i].error});
  return table;
}

// The parts that were registered in advance: what is compared, and what counts as support.
std::string registered_parts(const StudyConfig& config) {
  StudyConfig only;
  only.claim = config.claim;
  only.support = config.support;
  only.contrasts = config.contrasts;
  only.best = config.best;
  only.statistics = config.statistics;
  only.seeds = config.seeds;
  return to_toml(write_config(only));
}

std::vector<std::string> warnings(const Study& study, const StudyPlan& plan,
                                  const StudyResults& results) {
  std::vector<std::string> out;
  const auto before = registered_config(study);
  if (before && registered_parts(*before) != registered_parts(study.config))
    out.push_back(
        "claim, support, contrasts, statistics or seeds are not what they were before "
        "the first run; " +
        registered_file(study).string() + " holds what they were");
  for (std::string& problem : tuning_problems(plan)) out.push_back(std::move(problem));
  for (std::size_t c = 0; c < plan.tuning.size(); ++c)
    if (plan.tuning[c].best && !plan.tuning[c].inside)
      out.push_back("cell " + plan.cells[c].name + ": the best " + study.config.tuning.key +
                    " lies at the edge of its grid; widen tuning.values or raise tuning.extend");
  std::size_t n_missing = 0, n_stopped = 0;
  const auto states = study_status(study, plan);
  for (std::size_t i = 0; i < plan.runs.size(); ++i) {
    const PlannedRun& run = plan.runs[i];
    if (run.stage != Stage::report) continue;
    if (states[i].state == RunState::waiting && !states[i].error.empty())
      out.push_back(run.name + " cannot begin: " + states[i].error);
    const RunSummary* s = results.of(run);
    n_missing += s ? 0 : 1;
    n_stopped += s && s->outcome == "criterion" ? 1 : 0;
  }
  if (n_missing > 0)
    out.push_back(std::to_string(n_missing) +
                  " reporting runs are not over; the tables are of the "
                  "others");
  if (n_stopped > 0)
    out.push_back(
        std::to_string(n_stopped) +
        " runs stopped at a criterion: their curves end early, so that areas, final values "
        "and times to marks that they had not reached are not comparable");
  return out;
}

}  // namespace

std::vector<std::string> with_axes(const StudyPlan& plan, std::vector<std::string> before,
                                   const std::vector<std::string>& after) {
  before.insert(before.end(), plan.axes.begin(), plan.axes.end());
  before.insert(before.end(), after.begin(), after.end());
  return before;
}

void add_levels(std::vector<TableCell>& row, const Cell& cell) {
  for (const std::string& level : cell.levels) row.emplace_back(level);
}

StudyResults::StudyResults(const StudyPlan& plan, const ResultLookup& lookup)
    : reports_(plan.cells.size()) {
  for (const PlannedRun& run : plan.runs) {
    if (!run.settled) continue;
    auto found = summaries_.find(run.hash);
    if (found == summaries_.end()) {
      auto summary = lookup.summary(run);
      if (!summary) continue;
      found = summaries_.emplace(run.hash, std::move(*summary)).first;
    }
    if (run.stage == Stage::report) reports_[run.cell][run.seed] = &found->second;
  }
  add_trials_per_step(plan);
}

// Runs with the same batches have almost the same number of trials per step.
void StudyResults::add_trials_per_step(const StudyPlan& plan) {
  std::map<std::string, double> known;
  const auto batches = [](const PlannedRun& run) {
    return to_toml(write_config(run.config.battery)) + to_toml(write_config(run.config.stream)) +
           to_toml(write_config(run.config.curriculum));
  };
  for (const PlannedRun& run : plan.runs)
    if (const RunSummary* s = of(run); s && !s->curve_trials.empty())
      known.emplace(batches(run), s->curve_trials.back() / s->curve_steps.back());
  for (const PlannedRun& run : plan.runs) {
    const auto found = known.find(batches(run));
    if (of(run) && found != known.end()) summaries_.at(run.hash).trials_per_step = found->second;
  }
}

const RunSummary* StudyResults::of(const PlannedRun& run) const {
  const auto found = run.settled ? summaries_.find(run.hash) : summaries_.end();
  return found == summaries_.end() ? nullptr : &found->second;
}

std::vector<std::string> table_columns(std::span<const double> marks) {
  Study study;
  study.config.statistics.seed = 0;
  study.config.statistics.marks.assign(marks.begin(), marks.end());
  const StudyPlan plan;  // without axes
  const StudyResults results(plan, ResultLookup(study));
  std::vector<std::string> columns;
  for (const Table& table : {runs_table(study, plan, results), cells_table(study, plan, results),
                             curves_table(study, plan, results), tasks_table(plan, results),
                             survival_table(study, plan, results), tuning_table(study, plan)})
    columns.insert(columns.end(), table.columns.begin(), table.columns.end());
  return columns;
}

std::vector<Siblings> siblings(const StudyPlan& plan, std::size_t axis) {
  std::vector<Siblings> out;
  for (std::size_t c = 0; c < plan.cells.size(); ++c) {
    std::vector<std::string> others = plan.cells[c].levels;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(axis));
    auto found = std::ranges::find(out, others, &Siblings::others);
    if (found == out.end()) found = out.insert(out.end(), {others, {}});
    found->by_level[plan.cells[c].levels[axis]] = c;
  }
  return out;
}

std::size_t axis_index(const StudyPlan& plan, const std::string& name) {
  return static_cast<std::size_t>(std::ranges::find(plan.axes, name) - plan.axes.begin());
}

std::string where(const Siblings& family) {
  std::string out;
  for (const std::string& level : family.others) out += (out.empty() ? "" : ", ") + level;
  return out;
}

Collected collect_study(const Study& study) {
  const ResultLookup lookup(study);
  const StudyPlan plan = plan_study(study, [&](const PlannedRun& run) { return lookup(run); });
  require_own_directory(study, plan);
  const StudyResults results(plan, lookup);
  lookup.record_missing(plan);
  std::vector<Table> tables;
  tables.push_back(runs_table(study, plan, results));
  tables.push_back(cells_table(study, plan, results));
  tables.push_back(curves_table(study, plan, results));
  tables.push_back(tasks_table(plan, results));
  tables.push_back(survival_table(study, plan, results));
  if (!study.config.contrasts.empty()) tables.push_back(contrasts_table(study, plan, results));
  if (!study.config.best.empty()) tables.push_back(best_table(study, plan, results));
  if (!plan.tuning.empty()) tables.push_back(tuning_table(study, plan));
  tables.push_back(states_table(study, plan));
  tables.push_back(times_table(plan, results));

  Collected collected;
  collected.directory = study.out / "tables";
  collected.index = study.out / "index.sqlite";
  make_directories(collected.directory);
  for (const Table& table : tables) {
    write_file(collected.directory / (table.name + ".csv"), to_csv(table));
    collected.tables.emplace_back(table.name, table.rows.size());
  }
  // Tables of what the study no longer has would be taken for results.
  for (const char* name : {"contrasts", "best", "tuning"})
    if (std::ranges::find(tables, name, &Table::name) == tables.end())
      fs::remove(collected.directory / (std::string(name) + ".csv"));
  write_sqlite(collected.index, tables);
  // For reports, also where no run has begun, so that nothing is registered.
  write_file(study.out / "collected.toml", to_toml(write_config(study.config)));
  collected.verdicts = verdict_lines(study, plan, results);
  collected.warnings = warnings(study, plan, results);
  return collected;
}

}  // namespace lmrnn
