// The table of the best level of an axis.
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "lmrnn/statistics.hpp"
#include "study/collect.hpp"

namespace lmrnn {

Table best_table(const Study& study, const StudyPlan& plan, const StudyResults& results) {
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
        const auto& reports = results.reports(cell);
        const auto lacks = [&](const auto& report) {
          return !std::isfinite(measure(*report.second, b.measure));
        };
        if (reports.empty() || std::ranges::any_of(reports, lacks)) continue;
        levels.emplace_back(level, cell);
        for (const auto& [s, summary] : results.reports(cell)) ++count[s];
      }
      std::erase_if(count, [&](const auto& entry) { return entry.second != levels.size(); });
      if (count.empty()) continue;
      std::vector<double> values, positions;
      for (const auto& [level, cell] : levels) {
        double position = 0;
        for (const auto& [s, n] : count) {
          const RunSummary& run = *results.reports(cell).at(s);
          values.push_back(measure(run, b.measure));
          position += measure(run, b.position) / static_cast<double>(count.size());
        }
        positions.push_back(position);
      }
      const View2<const double> view{values.data(), levels.size(), count.size()};
      const BestLevel best = bootstrap_best(view, positions, b.smaller || is_cost(b.measure), seed,
                                            statistics.confidence);
      // If all values are the same (usually a mark that no run reached), no level is the best.
      const bool all_same =
          std::ranges::adjacent_find(values, std::not_equal_to<>{}) == values.end();
      for (std::size_t l = 0; l < levels.size(); ++l) {
        const double* row = view.row(l);
        const double mean = std::accumulate(row, row + view.n1, 0.0) / static_cast<double>(view.n1);
        const bool is_best = best.ties[l] && !all_same;
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
