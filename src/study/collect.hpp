// From run directories to tables.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "lmrnn/study.hpp"
#include "lmrnn/table.hpp"
#include "study/nothing.hpp"
#include "study/plan_lookup.hpp"
#include "study/summary.hpp"

namespace lmrnn {

/// Names of columns: `before`, one per axis of the grid, `after`.
std::vector<std::string> with_axes(const StudyPlan& plan, std::vector<std::string> before,
                                   const std::vector<std::string>& after);
/// The levels of a cell, in the columns of the axes.
void add_levels(std::vector<TableCell>& row, const Cell& cell);

/// The runs of a study that are over, by cell.
class StudyResults {
 public:
  StudyResults(const StudyPlan& plan, const ResultLookup& lookup);

  /// nullptr if the run is not over yet.
  const RunSummary* of(const PlannedRun& run) const;
  /// The reporting runs of a cell that are over, by seed.
  const std::map<std::int64_t, const RunSummary*>& reports(std::size_t cell) const {
    return reports_[cell];
  }

 private:
  void add_trials_per_step(const StudyPlan& plan);

  std::map<std::string, RunSummary> summaries_;  // by hash
  std::vector<std::map<std::int64_t, const RunSummary*>> reports_;
};

/// The fixed columns of the tables that also have a column per axis. No axis may have such a name.
std::vector<std::string> table_columns(std::span<const double> marks);

/// Cells that differ in one axis only: their index per level of that axis.
struct Siblings {
  std::vector<std::string> others;              ///< levels of the other axes
  std::map<std::string, std::size_t> by_level;  ///< level of the axis -> cell
};
/// One per combination of levels of the other axes.
std::vector<Siblings> siblings(const StudyPlan& plan, std::size_t axis);
/// Index of an axis in `plan.axes`; the size of `plan.axes` if there is no such axis.
std::size_t axis_index(const StudyPlan& plan, const std::string& name);
/// "modern, batch 64": the levels of the other axes.
std::string where(const Siblings& family);

/// Means, censored times and learning curves of cells.
Table cells_table(const Study& study, const StudyPlan& plan, const StudyResults& results);
Table curves_table(const Study& study, const StudyPlan& plan, const StudyResults& results);
Table survival_table(const Study& study, const StudyPlan& plan, const StudyResults& results);

/// Comparisons of cells.
Table contrasts_table(const Study& study, const StudyPlan& plan, const StudyResults& results);
/// "supported: local4 / dense, steps_to_90 0.7 (0.6 to 0.8), 8 pairs, p = 0.0078": a line per
/// contrast with a criterion.
std::vector<std::string> verdict_lines(const Study& study, const StudyPlan& plan,
                                       const StudyResults& results);
Table best_table(const Study& study, const StudyPlan& plan, const StudyResults& results);

/// Writes an SQLite file with these tables, as a whole or not at all. Throws RunError.
void write_sqlite(const std::filesystem::path& path, const std::vector<Table>& tables);

}  // namespace lmrnn
