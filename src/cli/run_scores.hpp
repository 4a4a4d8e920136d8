// What a run has reached, from metrics.csv and tasks.csv.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "lmrnn/run_tables.hpp"

namespace lmrnn::cli {

struct RunScores {
  std::int64_t step = 0;        ///< of the last row of metrics.csv
  std::int64_t evaluated = -1;  ///< step of the last evaluation; -1: there was none
  std::vector<TaskRow> tasks;   ///< of that evaluation

  double mean_accuracy() const;
  double mean_share() const;
  std::int64_t n_solved() const;
};

/// Reads both files of a run directory; a file that is not there yet counts as empty. Throws
/// UsageError for a column that is missing or damaged.
RunScores read_scores(const std::filesystem::path& run);

/// The accuracy of a network that answers a task by guessing: 0.5 where it only decides whether to
/// respond (match tasks), otherwise 0; nothing for tasks that are not in the catalogue.
std::optional<double> chance_of(const std::string& task);

/// The same as a number, or null.
nlohmann::ordered_json chance_json(const std::string& task);

/// A row per task, including chance, as --json prints it.
nlohmann::ordered_json tasks_json(const RunScores& scores);

}  // namespace lmrnn::cli
