#include "run_scores.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string_view>

#include "lmrnn/error.hpp"
#include "lmrnn/tasks.hpp"

namespace lmrnn::cli {
namespace {

// A line of CSV; text in quotes may hold commas and doubled quotes.
std::vector<std::string> cells_of(std::string_view line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') {
      if (quoted && i + 1 < line.size() && line[i + 1] == '"')
        cells.back() += line[++i];
      else
        quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      cells.emplace_back();
    } else {
      cells.back() += line[i];
    }
  }
  return cells;
}

// Calls `row` with a function that gives the cell of a column, for every complete line.
void for_each_row(const std::filesystem::path& path,
                  const std::function<void(const std::function<std::string(const char*)>&)>& row) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return;
  const std::vector<std::string> header = cells_of(line);
  while (std::getline(file, line)) {
    const std::vector<std::string> cells = cells_of(line);
    if (cells.size() != header.size()) continue;  // being written
    row([&](const char* name) {
      const auto found = std::ranges::find(header, name);
      if (found == header.end())
        throw UsageError(fmt::format("{}: has no column {}; was it edited?", path.string(), name));
      return cells[static_cast<std::size_t>(found - header.begin())];
    });
  }
}

std::optional<double> number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

double RunScores::mean_accuracy() const {
  double sum = 0;
  for (const TaskResult& t : tasks) sum += t.accuracy;
  return tasks.empty() ? 0 : sum / static_cast<double>(tasks.size());
}

double RunScores::mean_share() const {
  double sum = 0;
  for (const TaskResult& t : tasks) sum += t.share;
  return tasks.empty() ? 0 : sum / static_cast<double>(tasks.size());
}

std::int64_t RunScores::n_solved() const {
  return std::ranges::count_if(tasks, &TaskResult::solved);
}

RunScores read_scores(const std::filesystem::path& run) {
  RunScores scores;
  for_each_row(run / "metrics.csv", [&](const auto& cell) {
    scores.step = static_cast<std::int64_t>(number(cell("step")).value_or(0));
    scores.loss = number(cell("loss"));
  });
  for_each_row(run / "tasks.csv", [&](const auto& cell) {
    const auto step = static_cast<std::int64_t>(number(cell("step")).value_or(0));
    if (step != scores.evaluated) scores.tasks.clear();
    scores.evaluated = step;
    scores.tasks.push_back({cell("task"), number(cell("decision_accuracy")).value_or(0),
                            number(cell("decision_ceiling")).value_or(0),
                            number(cell("share_of_ceiling")).value_or(0), cell("solved") == "1"});
  });
  return scores;
}

double chance_of(const std::string& task) {
  static const std::vector<Task> known = select_tasks("modcog132");
  const auto found = std::ranges::find(known, task, &Task::name);
  return found != known.end() && found->base_task().family == Family::match ? 0.5 : 0;
}

nlohmann::ordered_json tasks_json(const RunScores& scores) {
  auto tasks = nlohmann::ordered_json::array();
  for (const TaskResult& t : scores.tasks)
    tasks.push_back({{"task", t.task},
                     {"accuracy", t.accuracy},
                     {"ceiling", t.ceiling},
                     {"share_of_ceiling", t.share},
                     {"chance", chance_of(t.task)},
                     {"solved", t.solved}});
  return tasks;
}

}  // namespace lmrnn::cli
