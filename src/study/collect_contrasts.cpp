// Tables of comparisons between cells: paired contrasts, and the best level of an axis.
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "lmrnn/statistics.hpp"
#include "study/collect.hpp"

namespace lmrnn {
namespace {

std::size_t axis_index(const StudyPlan& plan, const std::string& name) {
  return static_cast<std::size_t>(std::ranges::find(plan.axes, name) - plan.axes.begin());
}

// "modern, batch 64": where the comparison was made.
std::string where(const Siblings& family) {
  std::string out;
  for (const std::string& level : family.others) out += (out.empty() ? "" : ", ") + level;
  return out;
}

double mean_of(std::span<const double> values, std::span<const std::uint32_t> picks) {
  double sum = 0;
  for (const std::uint32_t i : picks) sum += values[i];
  return sum / static_cast<double>(picks.size());
}

/// Values of one measure by seed, for the seeds that both cells have.
struct Pairs {
  std::vector<double> a, b, differences;
  std::size_t n_censored_a = 0, n_censored_b = 0;
};

Pairs pair_up(const Harvest& harvest, std::size_t cell_a, std::size_t cell_b,
              const std::string& name) {
  Pairs pairs;
  for (const auto& [seed, in_a] : harvest.reports(cell_a)) {
    const auto found = harvest.reports(cell_b).find(seed);
    if (found == harvest.reports(cell_b).end()) continue;
    const RunSummary& in_b = *found->second;
    const double a = measure(*in_a, name), b = measure(in_b, name);
    if (std::isnan(a - b)) continue;  // nothing was held out, for one
    pairs.a.push_back(a);
    pairs.b.push_back(b);
    pairs.differences.push_back(pairs.a.back() - pairs.b.back());
    if (const auto time = censored_measure(*in_a, name)) pairs.n_censored_a += !time->reached;
    if (const auto time = censored_measure(in_b, name)) pairs.n_censored_b += !time->reached;
  }
  return pairs;
}

}  // namespace

Table contrasts_table(const Study& study, const StudyPlan& plan, const Harvest& harvest) {
  const auto& statistics = study.config.statistics;
  const Seed seed = statistics.resampling_seed();
  Table table{"contrasts",
              {"axis", "a", "b", "where", "measure", "pairs", "mean_a", "mean_b", "difference",
               "lower", "upper", "ratio", "ratio_lower", "ratio_upper", "censored_a", "censored_b",
               "p", "headline", "p_holm"},
              {}};
  std::vector<double> headline_p;
  std::vector<std::size_t> headline_rows;
  for (const ContrastConfig& c : study.config.contrasts) {
    for (const Siblings& family : siblings(plan, axis_index(plan, c.axis))) {
      if (!family.by_level.contains(c.a) || !family.by_level.contains(c.b)) continue;
      const Pairs pairs =
          pair_up(harvest, family.by_level.at(c.a), family.by_level.at(c.b), c.measure);
      const std::size_t n = pairs.differences.size();
      const Band difference = bootstrap_mean(pairs.differences, seed, statistics.level);
      const Band ratio = bootstrap(
          n,
          [&](std::span<const std::uint32_t> picks) {
            return mean_of(pairs.a, picks) / mean_of(pairs.b, picks);
          },
          seed, statistics.level);
      const double p = n > 0 ? paired_permutation_p(pairs.differences, seed) : nothing;
      std::vector<std::uint32_t> all(n);
      std::iota(all.begin(), all.end(), 0u);
      if (c.headline && n > 0) {
        headline_p.push_back(p);
        headline_rows.push_back(table.rows.size());
      }
      table.rows.push_back(
          {c.axis, c.a, c.b, where(family), c.measure, static_cast<std::int64_t>(n),
           n > 0 ? mean_of(pairs.a, all) : nothing, n > 0 ? mean_of(pairs.b, all) : nothing,
           difference.estimate, difference.lower, difference.upper, ratio.estimate, ratio.lower,
           ratio.upper, static_cast<std::int64_t>(pairs.n_censored_a),
           static_cast<std::int64_t>(pairs.n_censored_b), p, std::int64_t{c.headline}, nothing});
    }
  }
  const std::vector<double> adjusted = holm(headline_p);
  for (std::size_t i = 0; i < adjusted.size(); ++i)
    table.rows[headline_rows[i]].back() = adjusted[i];
  return table;
}

Table best_table(const Study& study, const StudyPlan& plan, const Harvest& harvest) {
  const auto& statistics = study.config.statistics;
  const Seed seed = statistics.resampling_seed();
  Table table{"best",
              {"axis", "where", "measure", "level", "position", "runs", "mean", "share_best",
               "best", "best_lower", "best_upper", "margin", "margin_lower", "margin_upper"},
              {}};
  for (const BestConfig& b : study.config.best) {
    for (const Siblings& family : siblings(plan, axis_index(plan, b.axis))) {
      // Seeds that every level has.
      std::vector<std::pair<std::string, std::size_t>> levels;
      std::map<std::int64_t, std::size_t> count;
      for (const auto& [level, cell] : family.by_level) {
        if (harvest.reports(cell).empty()) continue;
        levels.emplace_back(level, cell);
        for (const auto& [s, summary] : harvest.reports(cell)) ++count[s];
      }
      std::erase_if(count, [&](const auto& entry) { return entry.second != levels.size(); });
      if (count.empty()) continue;
      std::vector<double> values, positions;
      for (const auto& [level, cell] : levels) {
        double position = 0;
        for (const auto& [s, n] : count) {
          const RunSummary& run = *harvest.reports(cell).at(s);
          values.push_back(measure(run, b.measure));
          position += measure(run, b.position) / static_cast<double>(count.size());
        }
        positions.push_back(position);
      }
      const View2<const double> view{values.data(), levels.size(), count.size()};
      const BestLevel best = bootstrap_best(view, positions, b.smaller, seed, statistics.level);
      // Where all values are the same (a mark that no run reached, mostly), none is the best.
      const bool all_same =
          std::ranges::adjacent_find(values, std::not_equal_to<>{}) == values.end();
      for (std::size_t l = 0; l < levels.size(); ++l) {
        const double* row = view.row(l);
        const double mean = std::accumulate(row, row + view.n1, 0.0) / static_cast<double>(view.n1);
        const bool is_best = l == best.best && !all_same;
        table.rows.push_back(
            {b.axis, where(family), b.measure, levels[l].first, positions[l],
             static_cast<std::int64_t>(view.n1), mean, all_same ? nothing : best.share[l],
             std::int64_t{is_best}, is_best ? best.lower : nothing, is_best ? best.upper : nothing,
             is_best ? best.margin : nothing, is_best ? best.margin_lower : nothing,
             is_best ? best.margin_upper : nothing});
      }
    }
  }
  return table;
}

}  // namespace lmrnn
