// Tables of single cells: means over seeds, censored times, learning curves.
#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "lmrnn/statistics.hpp"
#include "study/collect.hpp"

namespace lmrnn {
namespace {

constexpr std::size_t n_curve_samples = 2000;  // bands of figures, at every evaluation

std::vector<TableCell> cell_row(const StudyPlan& plan, std::size_t cell) {
  std::vector<TableCell> row{plan.cells[cell].name};
  add_levels(row, plan.cells[cell]);
  return row;
}

// The longest time up to which all runs of the cell were observed.
double common_horizon(const std::vector<const RunSummary*>& runs, bool steps) {
  double horizon = std::numeric_limits<double>::infinity();
  for (const RunSummary* s : runs) {
    const auto& times = steps ? s->curve_steps : s->curve_trials;
    const double watched = s->outcome == "diverged" || times.empty()
                               ? (steps ? s->steps_to(2) : s->trials_to(2)).time
                               : times.back();
    horizon = std::min(horizon, watched);
  }
  return horizon;
}

struct Times {
  std::vector<TimeToMark> values;
  double horizon = 0;
  std::size_t n_censored = 0;
};

Times times_of(const std::vector<const RunSummary*>& runs, const std::string& name) {
  Times t;
  t.horizon = common_horizon(runs, name.starts_with("steps"));
  for (const RunSummary* s : runs) {
    t.values.push_back(*censored_measure(*s, name));
    t.n_censored += t.values.back().reached ? 0 : 1;
  }
  return t;
}

std::vector<const RunSummary*> runs_of(const StudyResults& results, std::size_t cell) {
  std::vector<const RunSummary*> runs;
  for (const auto& [seed, summary] : results.reports(cell)) runs.push_back(summary);
  return runs;
}

// Time steps in all rows of all batches up to an optimiser step; NaN if batches grow.
double time_steps(const StudyPlan& plan, std::size_t cell, double step) {
  const auto run = std::ranges::find_if(plan.runs, [cell](const PlannedRun& r) {
    return r.cell == cell && r.stage == Stage::report && r.settled;
  });
  if (run == plan.runs.end() || run->config.stream.grow_from > 0) return nothing;
  const StreamConfig& stream = run->config.stream;
  return step * static_cast<double>(stream.batch) * static_cast<double>(stream.steps);
}

}  // namespace

Table cells_table(const Study& study, const StudyPlan& plan, const StudyResults& results) {
  const auto& statistics = study.config.statistics;
  const Seed seed = statistics.resampling_seed();
  Table table{"cells",
              with_axes(plan, {"cell"},
                        {"measure", "runs", "diverged", "mean", "lower", "upper", "censored",
                         "horizon", "median"}),
              {}};
  for (std::size_t c = 0; c < plan.cells.size(); ++c) {
    const auto runs = runs_of(results, c);
    if (runs.empty()) continue;
    const auto n_diverged = std::ranges::count(runs, std::string("diverged"),
                                               [](const RunSummary* s) { return s->outcome; });
    for (const std::string& name : measure_names(statistics.marks)) {
      std::vector<TableCell> row = cell_row(plan, c);
      row.insert(row.end(),
                 {name, static_cast<std::int64_t>(runs.size()), std::int64_t{n_diverged}});
      if (censored_measure(*runs[0], name)) {
        const Times t = times_of(runs, name);
        // Unknown if all runs diverged before an evaluation and no other run gives trials per step.
        const double horizon = std::isfinite(t.horizon) ? t.horizon : nothing;
        const auto mean = [&](std::span<const std::uint32_t> picks) {
          std::vector<TimeToMark> picked;
          for (const std::uint32_t i : picks) picked.push_back(t.values[i]);
          return restricted_mean(picked, horizon);
        };
        const Band band =
            bootstrap(runs.size(), mean, seed, statistics.confidence, n_curve_samples);
        row.insert(row.end(),
                   {band.estimate, band.lower, band.upper, static_cast<std::int64_t>(t.n_censored),
                    horizon, median_time(t.values).value_or(nothing)});
      } else {
        std::vector<double> values;
        for (const RunSummary* s : runs) values.push_back(measure(*s, name));
        const Band band = bootstrap_mean(values, seed, statistics.confidence, n_curve_samples);
        row.insert(row.end(), {band.estimate, band.lower, band.upper, nothing, nothing, nothing});
      }
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

Table curves_table(const Study& study, const StudyPlan& plan, const StudyResults& results) {
  const auto& statistics = study.config.statistics;
  const Seed seed = statistics.resampling_seed();
  Table table{
      "curves",
      with_axes(plan, {"cell"},
                {"step", "trials", "runs", "mean_share", "lower", "upper", "multiply_adds"}),
      {}};
  for (std::size_t c = 0; c < plan.cells.size(); ++c) {
    const auto runs = runs_of(results, c);
    std::set<double> steps;
    for (const RunSummary* s : runs) steps.insert(s->curve_steps.begin(), s->curve_steps.end());
    for (const double step : steps) {
      std::vector<double> shares;
      double trials = 0, multiply_adds = 0, n_trained = 0;
      for (const RunSummary* s : runs) {
        const auto found = std::ranges::lower_bound(s->curve_steps, step);
        if (found == s->curve_steps.end()) {
          // A diverged run counts with its last evaluation.
          if (s->outcome == "diverged" && !s->curve_share.empty())
            shares.push_back(s->curve_share.back());
          continue;
        }
        if (*found != step) continue;
        const auto i = static_cast<std::size_t>(found - s->curve_steps.begin());
        shares.push_back(s->curve_share[i]);
        trials += s->curve_trials[i];
        multiply_adds += measure(*s, "multiply_adds") * time_steps(plan, c, step);
        ++n_trained;
      }
      const Band band = bootstrap_mean(shares, seed, statistics.confidence, n_curve_samples);
      std::vector<TableCell> row = cell_row(plan, c);
      row.insert(row.end(), {step, trials / n_trained, static_cast<std::int64_t>(shares.size()),
                             band.estimate, band.lower, band.upper, multiply_adds / n_trained});
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

Table survival_table(const Study& study, const StudyPlan& plan, const StudyResults& results) {
  Table table{"survival",
              with_axes(plan, {"cell"},
                        {"measure", "time", "at_risk", "reached", "share_left", "standard_error"}),
              {}};
  for (std::size_t c = 0; c < plan.cells.size(); ++c) {
    const auto runs = runs_of(results, c);
    if (runs.empty()) continue;
    for (const std::string& name : measure_names(study.config.statistics.marks)) {
      if (!censored_measure(*runs[0], name)) continue;
      for (const SurvivalStep& s : kaplan_meier(times_of(runs, name).values)) {
        std::vector<TableCell> row = cell_row(plan, c);
        row.insert(row.end(),
                   {name, s.time, static_cast<std::int64_t>(s.n_at_risk),
                    static_cast<std::int64_t>(s.n_reached), s.share_left, s.standard_error});
        table.rows.push_back(std::move(row));
      }
    }
  }
  return table;
}

}  // namespace lmrnn
