// sheet: is selectivity laid out on the sheet? Moran's I of maps compared with a permutation null,
// autocorrelation by distance, and wire length by weight.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <map>
#include <numbers>

#include "analysis/catalogue.hpp"
#include "analysis/entry.hpp"
#include "analysis/numerics/moran.hpp"
#include "analysis/numerics/numerics.hpp"
#include "analysis/simulate.hpp"
#include "analysis/units/task_variance.hpp"
#include "analysis/work.hpp"
#include "lmrnn/error.hpp"

namespace lmrnn {

Neighbours::Neighbours(const Sheet& sheet, double reach) : n_(sheet.n_units()) {
  for (std::size_t a = 0; a < n_; ++a)
    for (std::size_t b = 0; b < n_; ++b) {
      const double d = sheet.distance(a, b);
      if (a != b && d <= reach * (1 + 1e-9))  // allow for rounding of the distances
        pairs_.emplace_back(static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(b));
    }
}

double Neighbours::moran(std::span<const double> map) const {
  const double mean = mean_of(map);
  double cross = 0, square = 0;
  for (const auto& [a, b] : pairs_) cross += (map[a] - mean) * (map[b] - mean);
  for (const double x : map) square += (x - mean) * (x - mean);
  if (!(square > 0) || pairs_.empty()) return nan;
  return cross / static_cast<double>(pairs_.size()) / (square / static_cast<double>(n_));
}

namespace {

/// The source of each value: a permutation of all places, or within each area.
std::vector<std::uint32_t> permuted_places(std::size_t n, std::span<const Area> areas,
                                           const Key& key) {
  std::vector<std::uint32_t> order = permutation(n, key);
  if (areas.empty()) return order;
  // Sorts by area only: entry i is then some unit of the area of unit i.
  const auto area_of = [&](std::uint32_t unit) {
    const auto after = std::ranges::upper_bound(areas, unit, {}, &Area::first);
    return after - areas.begin();
  };
  std::ranges::stable_sort(order, {}, area_of);
  return order;
}

}  // namespace

std::vector<double> centred_by_area(std::vector<double> map, std::span<const Area> areas) {
  for (const Area& area : areas) {
    const std::span<double> values = std::span(map).subspan(area.first, area.n_units());
    const double mean = mean_of(values);
    for (double& x : values) x -= mean;
  }
  return map;
}

MoranTest moran_test(const Neighbours& neighbours, std::span<const double> map,
                     std::size_t n_permutations, Seed seed, std::uint32_t row,
                     std::span<const Area> areas) {
  MoranTest test;
  test.value = neighbours.moran(map);
  std::vector<double> null(n_permutations), shuffled(map.size());
  double as_high = 1;  // the map itself is one of the permutations
  for (std::size_t p = 0; p < n_permutations; ++p) {
    const auto order = permuted_places(
        map.size(), areas,
        {seed, RandomPurpose::statistics, Split::test, row, static_cast<std::uint32_t>(p)});
    for (std::size_t i = 0; i < map.size(); ++i) shuffled[i] = map[order[i]];
    null[p] = neighbours.moran(shuffled);
    // Ties, as in a map of one active unit, must not be decided by how sums round.
    as_high += null[p] >= test.value - 1e-12;
  }
  test.null_mean = mean_of(null);
  test.null_deviation = deviation_of(null);
  if (test.null_deviation < 1e-12) test.null_deviation = 0;  // all permutations are alike
  test.p = std::isnan(test.value) ? nan : as_high / static_cast<double>(n_permutations + 1);
  return test;
}

namespace {

using Eigen::Index;
using Eigen::MatrixXd;

struct SheetOptions {
  std::string tasks;
  std::int64_t trials = 200;
  double reach = 1;
  std::int64_t permutations = 999;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& field) {
    field("tasks", self.tasks, "which tasks; empty: all that the network was trained on");
    field("trials", self.trials, "trials per task for the variance", between(2, 100000));
    field("reach", self.reach,
          "units up to this distance, in spacings of the sheet, are neighbours", more_than(0));
    field("permutations", self.permutations, "of the places, for the null", between(19, 1000000));
  }
};

struct Map {
  std::string name;
  std::vector<double> values;
};

// Preferred direction of each unit at the end of the stimulus of a reach task without noise:
// circular mean of directions weighted by activity above the unit's least.
std::vector<std::complex<double>> direction_tuning(const Subject& subject, std::size_t task,
                                                   Seed seed) {
  const Battery& battery = subject.battery;
  const auto n_ring = static_cast<std::size_t>(battery.config().n_ring);
  std::vector<Conditions> conditions = test_conditions(battery, task, 2 * n_ring, seed, false);
  for (std::size_t k = 0; k < conditions.size(); ++k) {
    conditions[k].modality = static_cast<int>(k / n_ring);
    conditions[k].direction =
        2 * std::numbers::pi * static_cast<double>(k % n_ring) / static_cast<double>(n_ring);
  }
  const TrialBatch trials = compose_task(battery, task, conditions, seed);
  const Simulation run = simulate(subject.network, battery, trials);
  std::vector<std::complex<double>> tuning(run.n_units);
  for (std::size_t i = 0; i < run.n_units; ++i) {
    double least = std::numeric_limits<double>::infinity(), total = 0;
    std::vector<double> rate;
    for (std::size_t k = 0; k < trials.n_trials; ++k) {
      const auto t = static_cast<std::size_t>(span_of(trials, k, Period::delay).last - 1);
      rate.push_back(run.rate(t, i, k));
      least = std::min(least, rate.back());
    }
    for (std::size_t k = 0; k < rate.size(); ++k) {
      tuning[i] += std::polar(rate[k] - least, conditions[k].direction);
      total += rate[k] - least;
    }
    tuning[i] = total > 0 ? tuning[i] / total : 0;
  }
  return tuning;
}

std::vector<Map> selectivity_maps(const Subject& subject, const SheetOptions& options,
                                  const std::vector<std::size_t>& tasks,
                                  const AnalysisContext& context) {
  const MatrixXd tv =
      task_variance(subject, tasks, static_cast<std::size_t>(options.trials), context);
  const auto n = static_cast<std::size_t>(tv.rows());
  std::vector<Map> maps;
  Map total{"total variance (log)", {}};
  for (Index i = 0; i < tv.rows(); ++i) total.values.push_back(std::log(tv.row(i).sum() + 1e-12));
  maps.push_back(std::move(total));
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    Map map{subject.battery.tasks()[tasks[t]].name(), std::vector<double>(n)};
    for (std::size_t i = 0; i < n; ++i) {
      const double sum = tv.row(static_cast<Index>(i)).sum();
      map.values[i] = sum > 0 ? tv(static_cast<Index>(i), static_cast<Index>(t)) / sum : 0;
    }
    maps.push_back(std::move(map));
  }
  for (const std::size_t task : tasks) {
    const Task& t = subject.battery.tasks()[task];
    if (t.base_task().family != Family::reach || t.base_task().reaction_time) continue;
    const auto tuning = direction_tuning(subject, task, context.seed);
    Map x{"direction, cosine (" + t.name() + ")", {}}, y{"direction, sine (" + t.name() + ")", {}};
    for (const auto& z : tuning) {
      x.values.push_back(z.real());
      y.values.push_back(z.imag());
    }
    maps.push_back(std::move(x));
    maps.push_back(std::move(y));
    break;  // one task is enough for the map of directions
  }
  return maps;
}

// Correlation of a map between units at each distance.
Table correlogram(const Sheet& sheet, const std::vector<Map>& maps) {
  Table table{"autocorrelation",
              {"distance", "pairs", "correlation"},
              {},
              "Mean autocorrelation of the maps by distance on the sheet"};
  struct Sum {
    double pairs = 0, product = 0;
  };
  std::map<std::int64_t, Sum> by_distance;
  const std::size_t n = sheet.n_units();
  std::vector<std::vector<double>> scores;  // standardised maps
  for (const Map& map : maps) {
    const double mean = mean_of(map.values), deviation = deviation_of(map.values);
    if (!(deviation > 0)) continue;
    std::vector<double> z;
    for (const double x : map.values) z.push_back((x - mean) / deviation);
    scores.push_back(std::move(z));
  }
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = a + 1; b < n; ++b) {
      if (sheet.area_of(a) != sheet.area_of(b)) continue;
      Sum& sum = by_distance[std::lround(sheet.distance(a, b) / sheet.spacing())];
      ++sum.pairs;
      for (const auto& z : scores) sum.product += z[a] * z[b] / static_cast<double>(scores.size());
    }
  for (const auto& [n_spacings, sum] : by_distance) {
    const auto pairs = static_cast<std::int64_t>(sum.pairs);
    if (sheet.coordinates)
      table.add(
          {static_cast<double>(n_spacings) * sheet.spacing(), pairs, sum.product / sum.pairs});
    else
      table.add({n_spacings, pairs, sum.product / sum.pairs});
  }
  return table;
}

/// Shape and axes of a map in a recording. With areas, the units are in one row, and the file's
/// metadata has "areas = sensory 8x8, motor 6x8".
std::pair<std::vector<std::size_t>, std::vector<std::string>> map_axes(const Sheet& sheet,
                                                                       Recording& recording) {
  if (!sheet.areas)
    return {{static_cast<std::size_t>(sheet.rows), static_cast<std::size_t>(sheet.cols)},
            {"row", "column"}};
  std::string text;
  for (const Area& area : *sheet.areas)
    text += fmt::format("{}{} {}x{}", text.empty() ? "" : ", ", area.name, area.rows, area.cols);
  recording.file.metadata["areas"] = text;
  return {{sheet.n_units()}, {"unit"}};
}

AnalysisResult sheet(const Subject& subject, const SheetOptions& options,
                     const AnalysisContext& context) {
  const Sheet& sheet = subject.trained.sheet;
  if (sheet.n_units() != subject.network.architecture().n_units())
    throw UsageError(fmt::format("sheet: {} x {} places for {} units", sheet.rows, sheet.cols,
                                 subject.network.architecture().n_units()));
  const std::vector<std::size_t> tasks = chosen_tasks(subject.battery, options.tasks);
  const std::vector<Map> maps = selectivity_maps(subject, options, tasks, context);
  std::vector<Map> centred = maps;
  for (Map& map : centred) map.values = centred_by_area(std::move(map.values), sheet.all_areas());
  const Neighbours neighbours(sheet, options.reach * sheet.spacing());
  std::vector<MoranTest> tests(maps.size());
  for_each_item(context, maps.size(), "map", [&](std::size_t m) {
    tests[m] =
        moran_test(neighbours, centred[m].values, static_cast<std::size_t>(options.permutations),
                   context.seed, static_cast<std::uint32_t>(1000 + m), sheet.all_areas());
  });
  Table table{"moran",
              {"map", "moran_i", "null_mean", "null_deviation", "z", "p"},
              {},
              "Moran's I of maps on the sheet"};
  std::vector<double> values, scores, p_values;
  Recording recording;
  recording.name = "maps";
  const auto [shape, axes] = map_axes(sheet, recording);
  for (std::size_t m = 0; m < maps.size(); ++m) {
    const MoranTest& t = tests[m];
    const double z = t.null_deviation > 0 ? (t.value - t.null_mean) / t.null_deviation : 0;
    table.add({maps[m].name, t.value, t.null_mean, t.null_deviation, z, t.p});
    if (std::isfinite(t.value)) {
      values.push_back(t.value);
      scores.push_back(z);
      p_values.push_back(t.p);
    }
    recording.add<double>(fmt::format("map{:03}", m), maps[m].values, shape, axes);
    recording.file.metadata[fmt::format("map{:03}", m)] = maps[m].name;
  }
  AnalysisResult result;
  result.headline("maps", static_cast<std::int64_t>(maps.size()));
  result.headline("mean_moran_i", mean_of(values));
  result.headline("mean_z", mean_of(scores));
  result.headline("significant_maps", static_cast<std::int64_t>(n_discoveries(p_values, 0.05)));
  result.tables = {correlogram(sheet, centred), std::move(table)};
  result.recordings.push_back(std::move(recording));
  return result;
}

}  // namespace

AnalysisEntry sheet_entry() {
  return analysis_entry<SheetOptions, sheet>(
      "sheet", "is selectivity laid out on the sheet? Maps and Moran's I against permutation");
}

}  // namespace lmrnn
