#include "lmrnn/run_tables.hpp"

#include <iterator>
#include <string_view>

#include "core/shared/csv.hpp"
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
  return rows_of<TaskRow>(run / "tasks.csv");
}

std::vector<TaskRow> last_task_rows(const std::filesystem::path& run) {
  std::vector<TaskRow> rows = read_task_rows(run);
  auto first = rows.end();
  while (first != rows.begin() && std::prev(first)->step == rows.back().step) --first;
  rows.erase(rows.begin(), first);
  return rows;
}

}  // namespace lmrnn
