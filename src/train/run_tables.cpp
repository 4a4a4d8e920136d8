#include "lmrnn/run_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "core/shared/csv.hpp"
#include "lmrnn/error.hpp"
#include "lmrnn/files.hpp"

namespace lmrnn {
namespace {

template <class Row>
std::vector<Row> rows_of(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return {};
  return csv_rows<Row>(read_file(path), path, "remove the run directory and run it again");
}

}  // namespace

std::vector<MetricsRow> read_metrics(const std::filesystem::path& run) {
  return rows_of<MetricsRow>(run / "metrics.csv");
}

std::vector<TaskRow> read_task_rows(const std::filesystem::path& run) {
  // Read first: rows of another evaluation may be written between the two.
  const std::vector<MetricsRow> metrics = read_metrics(run);
  std::vector<TaskRow> rows = rows_of<TaskRow>(run / "tasks.csv");
  if (!std::filesystem::exists(run / "metrics.csv") || !std::filesystem::exists(run / "tasks.csv"))
    return rows;
  const auto last = std::find_if(metrics.rbegin(), metrics.rend(), [](const MetricsRow& row) {
    return row.mean_accuracy.has_value();
  });
  const std::int64_t over = last == metrics.rend() ? -1 : last->step;
  std::erase_if(rows, [&](const TaskRow& row) { return row.step > over; });
  if (over < 0) return rows;
  double sum = 0;
  std::size_t n = 0;
  for (const TaskRow& row : rows)
    if (row.step == over) {
      sum += row.decision_accuracy;
      ++n;
    }
  constexpr double rounding = 2e-6;  // both files have six digits
  if (n == 0 || std::abs(sum / static_cast<double>(n) - *last->mean_accuracy) > rounding)
    throw UsageError((run / "tasks.csv").string(),
                     fmt::format("does not have the {} that metrics.csv has of step {}",
                                 n == 0 ? "evaluation" : "whole evaluation", over),
                     "copy the run again");
  return rows;
}

std::vector<TaskRow> last_task_rows(const std::filesystem::path& run) {
  std::vector<TaskRow> rows = read_task_rows(run);
  const std::int64_t last = rows.empty() ? 0 : rows.back().step;
  std::erase_if(rows, [&](const TaskRow& row) { return row.step != last; });
  return rows;
}

}  // namespace lmrnn
