// From a study file to its runs.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "lmrnn/error.hpp"
#include "lmrnn/study.hpp"
#include "study/grid.hpp"
#include "study/hash.hpp"
#include "study/keys.hpp"
#include "study/plan_lookup.hpp"
#include "study/summary.hpp"

namespace lmrnn {
namespace {

/// A cell with what its runs need.
struct CellKeys {
  std::size_t index;
  const Cell& cell;
  ConfigTable keys;  ///< without [pruning] and [tuning]
  std::optional<PruningConfig> pruning;
  std::size_t rank = 1;  ///< among the tuned values, 1 is the best
};

/// Removes and returns a table that configures the cell and not the network.
template <class Table>
std::optional<Table> take(ConfigTable& keys, std::string_view name) {
  const auto found = std::ranges::find(keys, name, &ConfigTable::value_type::first);
  if (found == keys.end()) return std::nullopt;
  Table table;
  from_config(found->second, name, table, Range{});
  keys.erase(found);
  return table;
}

// Makes a run so short that every cell can be tried in almost no time.
void make_small(RunConfig& c) {
  // One step of each stage; the last stage gets the rest.
  const auto n_stages = static_cast<std::int64_t>(c.curriculum.stage.size());
  c.train.steps = std::min(c.train.steps, std::max<std::int64_t>(3, n_stages));
  for (StageConfig& stage : c.curriculum.stage) stage.steps = 1;
  if (n_stages > 0) c.curriculum.stage.back().steps = 0;
  c.train.block = 0;
  c.train.log_every = 1;
  c.train.stop_solved.reset();
  c.stream.grow_from = 0;
  c.stream.batch = std::min<std::int64_t>(c.stream.batch, 4);
  c.stream.steps = std::min<std::int64_t>(c.stream.steps, 40);
  c.evaluation.every = 1;
  c.evaluation.trials = std::min<std::int64_t>(c.evaluation.trials, 2);
  c.evaluation.final_trials.reset();
  c.checkpoint.every = std::min<std::int64_t>(c.checkpoint.every, 2);
}

class Planner {
 public:
  Planner(const Study& study, const ResultFunction& result_of)
      : study_(study), result_of_(result_of) {}

  StudyPlan plan() {
    const std::vector<Axis> axes = study_axes(study_.config);
    for (const Axis& axis : axes) plan_.axes.push_back(axis.name);
    auto cells = study_cells(study_.config, axes);
    for (auto& [cell, keys] : cells) plan_.cells.push_back(cell);
    check_cell_names();
    std::vector<CellKeys> all;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      auto pruning = take<PruningConfig>(cells[i].second, "pruning");
      const auto rank = static_cast<std::size_t>(
          take<CellTuningConfig>(cells[i].second, "tuning").value_or(CellTuningConfig{}).rank);
      check_rank(plan_.cells[i], rank);
      if (pruning && study_.smoke) {
        pruning->rounds = std::min<std::int64_t>(pruning->rounds, 2);
        pruning->rewind = std::min<std::int64_t>(pruning->rewind, 1);
      }
      all.push_back({i, plan_.cells[i], std::move(cells[i].second), std::move(pruning), rank});
    }
    check_size(all);
    check_measures(all);
    for (const CellKeys& cell : all) plan_cell(cell);
    // Tuning runs first, then the runs that others are pruned from: runs that must wait for others
    // come later in the list.
    std::ranges::stable_sort(plan_.runs, {}, [](const PlannedRun& run) { return run.stage; });
    return std::move(plan_);
  }

 private:
  void check_cell_names() const {
    std::set<std::string> names;
    for (const Cell& cell : plan_.cells)
      if (!names.insert(cell.name).second)
        throw UsageError(fmt::format("{}: two cells are called {}; give levels other names",
                                     study_.file.string(), cell.name));
    if (plan_.cells.empty())
      throw UsageError(
          fmt::format("{}: every cell is skipped; nothing is left to run", study_.file.string()));
  }

  void check_rank(const Cell& cell, std::size_t rank) const {
    const TuningConfig& tuning = study_.config.tuning;
    const std::size_t n =
        tuning.finalists > 0 ? static_cast<std::size_t>(tuning.finalists) : tuning.values.size();
    if (rank > 1 && rank > n)
      throw UsageError(fmt::format("cell {}: tuning.rank = {}, but {}; give a smaller rank",
                                   cell.name, rank,
                                   tuning.values.empty() ? std::string("the study tunes nothing")
                                                         : fmt::format("{} values are ranked", n)));
  }

  void check_size(const std::vector<CellKeys>& cells) const {
    const TuningConfig& tuning = study_.config.tuning;
    const auto& seeds = study_.config.seeds;
    std::size_t n =
        cells.size() * (tuning.values.size() * tuning.seeds.size() +
                        static_cast<std::size_t>(tuning.finalists) * tuning.final_seeds.size());
    for (const CellKeys& cell : cells)
      n += seeds.size() * (cell.pruning ? 1 + static_cast<std::size_t>(cell.pruning->rounds) : 1);
    if (n > most_runs)
      throw UsageError(
          fmt::format("{}: {} runs are more than the {} that a study may have; leave out levels or "
                      "seeds, or make several studies of it",
                      study_.file.string(), n, most_runs));
  }

  // Before any run, so that nobody computes for days what cannot be compared: every cell must have
  // what it is tuned by, and at least one cell what contrasts and best levels are about.
  void check_measures(const std::vector<CellKeys>& cells) const {
    const StudyConfig& study = study_.config;
    std::vector<RunConfig> configs;
    for (const CellKeys& cell : cells) {
      std::optional<double> tuned;
      if (!study.tuning.values.empty()) tuned = study.tuning.values.front();
      configs.push_back(configure(cell, study.seeds.front(), tuned));
      if (!tuned) continue;
      const RunConfig config =
          configure(cell, study.tuning.seeds.front(), tuned, &study.tuning.set.table);
      if (const auto reason = why_absent(config, study.tuning.measure))
        throw UsageError(
            fmt::format("cell {}: tuning.measure = \"{}\", but {}, or choose another "
                        "measure",
                        cell.cell.name, study.tuning.measure, *reason));
    }
    const auto check = [&](const char* where, const std::string& name) {
      std::optional<std::string> reason;
      for (const RunConfig& config : configs) {
        reason = why_absent(config, name);
        if (!reason) return;
      }
      throw UsageError(
          fmt::format("{}: {} = \"{}\", but in all cells {}, or choose another measure",
                      study_.file.string(), where, name, *reason));
    };
    for (const ContrastConfig& contrast : study.contrasts)
      check("contrast.measure", contrast.measure);
    for (const BestConfig& best : study.best) {
      check("best.measure", best.measure);
      check("best.position", best.position);
    }
  }

  RunConfig configure(const CellKeys& cell, std::int64_t seed, std::optional<double> tuned,
                      const ConfigTable* more = nullptr) const {
    ConfigTable keys = cell.keys;
    if (more) overlay(keys, *more);
    if (tuned) assign_key(keys, study_.config.tuning.key, {*tuned, "tuning.values"});
    assign_key(keys, "seed", {seed, "seeds"});
    try {
      RunConfig config = resolve_config(keys);
      if (study_.smoke) {
        make_small(config);
        check_config(config);
      }
      return config;
    } catch (const UsageError& error) {
      throw UsageError(fmt::format("cell {}: {}", cell.cell.name, error.what()));
    }
  }

  // Cells may share runs (e.g. the dense network of two kinds of matching): the first cell that
  // adds a run names it.
  const PlannedRun& add(PlannedRun run) {
    constexpr std::size_t longest_name = 200;  // file systems take 255, endings included
    if (run.name.size() > longest_name)
      throw UsageError(fmt::format(
          "cell {}: a run of it would have a name of {} characters, and a directory cannot; give "
          "its levels short names, [axis.NAME.LEVEL]",
          plan_.cells[run.cell].name, run.name.size()));
    if (run.settled) {
      const auto [first, is_new] = names_.try_emplace(run.hash, run.name);
      run.name = first->second;
    }
    plan_.runs.push_back(std::move(run));
    return plan_.runs.back();
  }

  void plan_cell(const CellKeys& cell) {
    const TuningConfig& tuning = study_.config.tuning;
    std::optional<double> best;
    if (!tuning.values.empty()) {
      best = tune(cell);
      if (!best) return plan_unsettled(cell);
    }
    for (const std::int64_t seed : study_.config.seeds) {
      if (cell.pruning)
        plan_pruning(cell, seed, best);
      else
        plan_report(cell, seed, best);
    }
  }

  std::optional<double> tune(const CellKeys& cell) {
    const TuningConfig& tuning = study_.config.tuning;
    std::vector<double> values = tuning.values;
    Tuning result = first_scores(cell, values);
    for (std::int64_t i = 0; i < tuning.extend && result.best && !result.inside; ++i) {
      if (!grow(cell, values, *result.best)) break;
      result = first_scores(cell, values);
    }
    for (const double value : values)
      for (const std::int64_t seed : tuning.seeds) add(tuning_run(cell, value, seed, false));
    if (result.best && tuning.finalists > 0) play_finals(cell, result);
    if (result.best) {
      result.best = ranked(tuning.finalists > 0 ? result.finals : result.values, cell.rank, result);
      result.inside = result.best && is_inside(*result.best, values);
    }
    plan_.tuning.push_back(result);
    return result.best;
  }

  // Adds the runs that repeat the best values as they will be reported; resets `best` until these
  // runs are over.
  void play_finals(const CellKeys& cell, Tuning& result) {
    const TuningConfig& tuning = study_.config.tuning;
    std::vector<double> values;
    for (const Tuning::Value& v : by_score(result.values))
      if (v.score > worst && values.size() < static_cast<std::size_t>(tuning.finalists))
        values.push_back(v.value);
    std::ranges::sort(values);
    for (const double value : values)
      for (const std::int64_t seed : tuning.final_seeds) add(tuning_run(cell, value, seed, true));
    if (!score(cell, values, true, result.finals)) result.best.reset();
  }

  static bool is_inside(double value, const std::vector<double>& values) {
    return value != values.front() && value != values.back();
  }

  static std::vector<Tuning::Value> by_score(std::vector<Tuning::Value> values) {
    std::ranges::stable_sort(values, std::ranges::greater{},
                             [](const Tuning::Value& v) { return std::pair(v.score, v.area); });
    return values;
  }

  // Nothing if too many values diverge. `tuning.problem` then says so, and the other cells
  // continue.
  static std::optional<double> ranked(const std::vector<Tuning::Value>& values, std::size_t rank,
                                      Tuning& tuning) {
    const auto sorted = by_score(values);
    if (rank <= sorted.size() && sorted[rank - 1].score > worst) return sorted[rank - 1].value;
    tuning.problem = fmt::format("training diverges at {} of tuning.values{}; give smaller ones",
                                 rank == 1 ? "every one" : "all but the best",
                                 rank == 1 ? "" : ", so that there is no runner-up");
    return std::nullopt;
  }

  // Adds a value beyond the best one. Returns false if there is none: the key may be bounded (a
  // density is at most 1), or ratios may be too fine for the digits of a name.
  bool grow(const CellKeys& cell, std::vector<double>& values, double best) const {
    const std::size_t n = values.size();
    const bool down = best == values.front();
    const double x = round_off(down ? values[0] * values[0] / values[1]
                                    : values[n - 1] * values[n - 1] / values[n - 2]);
    const bool beyond = down ? x > 0 && x < values.front() : x > values.back() && std::isfinite(x);
    if (!beyond) return false;
    try {
      configure(cell, study_.config.tuning.seeds.front(), x, &study_.config.tuning.set.table);
      configure(cell, study_.config.seeds.front(), x);
    } catch (const UsageError&) {
      return false;
    }
    values.insert(down ? values.begin() : values.end(), x);
    return true;
  }

  // Rounds to three digits, because 0.0029999999999999996 would be an ugly name.
  static double round_off(double x) {
    const double scale = std::pow(10, 2 - std::floor(std::log10(x)));
    return std::round(x * scale) / scale;
  }

  PlannedRun tuning_run(const CellKeys& cell, double value, std::int64_t seed, bool final) const {
    const TuningConfig& tuning = study_.config.tuning;
    PlannedRun run;
    const std::string key = tuning.key.substr(tuning.key.rfind('.') + 1);
    run.name = fmt::format("{}-{}-{}{}-seed{}", cell.cell.name, final ? "final" : "tuning", key,
                           value, seed);
    run.stage = Stage::tuning;
    run.cell = cell.index;
    run.seed = seed;
    run.tuned = value;
    run.settled = true;
    run.config = configure(cell, seed, value, final ? nullptr : &tuning.set.table);
    run.hash = config_hash(run.config);
    return run;
  }

  static constexpr double worst = -std::numeric_limits<double>::infinity();

  // Computes the scores of values over the seeds; returns false if some of the runs are not over.
  bool score(const CellKeys& cell, const std::vector<double>& values, bool final,
             std::vector<Tuning::Value>& scores) const {
    const TuningConfig& tuning = study_.config.tuning;
    const auto& seeds = final ? tuning.final_seeds : tuning.seeds;
    bool all_over = true;
    for (const double value : values) {
      Tuning::Value v{.value = value, .n_runs = seeds.size()};
      for (const std::int64_t seed : seeds) {
        const auto outcome = result_of_(tuning_run(cell, value, seed, final));
        if (!outcome) continue;
        ++v.n_over;
        v.n_diverged += outcome->diverged ? 1 : 0;
        v.score += outcome->diverged ? worst : outcome->score / static_cast<double>(seeds.size());
        v.area += outcome->area / static_cast<double>(seeds.size());
      }
      all_over = all_over && v.n_over == v.n_runs;
      scores.push_back(v);
    }
    return all_over;
  }

  Tuning first_scores(const CellKeys& cell, const std::vector<double>& values) const {
    Tuning result;
    if (!score(cell, values, false, result.values)) return result;
    result.best = ranked(result.values, 1, result);
    result.inside = result.best && is_inside(*result.best, values);
    return result;
  }

  PlannedRun report_run(const CellKeys& cell, std::int64_t seed, std::optional<double> best) const {
    PlannedRun run;
    run.name = fmt::format("{}-seed{}", cell.cell.name, seed);
    run.cell = cell.index;
    run.seed = seed;
    run.tuned = best;
    return run;
  }

  void plan_unsettled(const CellKeys& cell) {
    for (const std::int64_t seed : study_.config.seeds) {
      // Reports mistakes now and not after the tuning runs have been paid for.
      static_cast<void>(configure(cell, seed, study_.config.tuning.values.front()));
      PlannedRun run = report_run(cell, seed, std::nullopt);
      if (cell.pruning)
        for (std::int64_t round = 0; round < cell.pruning->rounds; ++round) {
          PlannedRun earlier = run;
          earlier.name = fmt::format("{}-round{}-seed{}", cell.cell.name, round, seed);
          earlier.stage = Stage::round;
          add(std::move(earlier));
        }
      add(std::move(run));
    }
  }

  void plan_report(const CellKeys& cell, std::int64_t seed, std::optional<double> best) {
    PlannedRun run = report_run(cell, seed, best);
    run.settled = true;
    run.config = configure(cell, seed, best);
    run.hash = config_hash(run.config);
    add(std::move(run));
  }

  void plan_pruning(const CellKeys& cell, std::int64_t seed, std::optional<double> best) {
    const PruningConfig& pruning = *cell.pruning;
    PlannedRun run = report_run(cell, seed, best);
    run.settled = true;
    run.config = configure(cell, seed, best);
    if (pruning.rewind >= run.config.train.steps)
      throw UsageError(fmt::format("cell {}: pruning.rewind = {} is not within train.steps = {}",
                                   cell.cell.name, pruning.rewind, run.config.train.steps));
    const std::string whole = canonical_text(run.config);
    run.keep_weights_at = pruning.rewind;
    run.hash = first_run_hash(run.config, run.keep_weights_at);
    std::string first, parent;  // directory name, hash
    for (std::int64_t round = 0;; ++round) {
      const bool last = round == pruning.rounds;
      run.stage = last ? Stage::report : Stage::round;
      run.name = last ? fmt::format("{}-seed{}", cell.cell.name, seed)
                      : fmt::format("{}-round{}-seed{}", cell.cell.name, round, seed);
      if (round > 0) {
        run.keep_weights_at.reset();
        run.first = first;
        run.density = std::pow(pruning.density,
                               static_cast<double>(round) / static_cast<double>(pruning.rounds));
        run.reinitialised = last && pruning.start == PruningStart::reinitialise;
        run.hash = hash_text(fmt::format("{}parent {}\ndensity {}\nstart {}\n", whole, parent,
                                         run.density, run.reinitialised ? "fresh" : "rewound"));
      }
      const PlannedRun& added = add(run);
      if (last) return;
      if (round == 0) first = added.directory_name();
      run.parent = added.directory_name();
      parent = added.hash;
    }
  }

  const Study& study_;
  const ResultFunction& result_of_;
  StudyPlan plan_;
  std::map<std::string, std::string> names_;  // of runs, by hash
};

}  // namespace

std::vector<std::string> tuning_problems(const StudyPlan& plan) {
  std::vector<std::string> out;
  for (std::size_t c = 0; c < plan.tuning.size(); ++c)
    if (!plan.tuning[c].problem.empty())
      out.push_back(fmt::format("cell {}: {}", plan.cells[c].name, plan.tuning[c].problem));
  return out;
}

StudyPlan plan_study(const Study& study, const ResultFunction& result_of) {
  return Planner(study, result_of).plan();
}

StudyPlan plan_study(const Study& study) {
  const ResultLookup lookup(study);
  return plan_study(study, [&](const PlannedRun& run) { return lookup(run); });
}

}  // namespace lmrnn
