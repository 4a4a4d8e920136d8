// metrics.csv and tasks.csv of a run directory, row by row. docs/concepts/training.md says what the
// columns mean.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lmrnn/config.hpp"
#include "lmrnn/table.hpp"

namespace lmrnn {

/// A row of metrics.csv: the steps since the previous row, and the evaluation at this step if there
/// was one.
struct MetricsRow {
  std::int64_t step = 0;     ///< optimiser steps done
  std::uint64_t trials = 0;  ///< begun so far
  double seconds = 0;        ///< of training, all sessions
  double learning_rate = 0, loss = 0, gradient_norm = 0, clipped_share = 0;
  std::optional<double> mean_accuracy{}, mean_trial_accuracy{};
  std::optional<double> mean_share_of_ceiling{}, worst_share_of_ceiling{};
  std::optional<std::int64_t> tasks_passed{}, tasks_solved{};
  std::optional<double> wire{};  ///< sum over recurrent synapses of length^wire_power |weight|

  static constexpr std::array<Renamed, 1> renamed_columns{{{"tasks_reached", "tasks_passed"}}};
  static constexpr std::array<std::string_view, 1> added_columns{{"wire"}};

  /// Calls column(name, value, format) for every column, in the order of the file.
  template <class Self, class Visitor>
  static void columns(Self& self, Visitor&& column) {
    constexpr CsvFormat exact{.digits = 9}, score{.digits = 6, .fixed = true};
    column("step", self.step, CsvFormat{});
    column("trials", self.trials, CsvFormat{});
    column("seconds", self.seconds, CsvFormat{.digits = 3, .fixed = true});
    column("learning_rate", self.learning_rate, exact);
    column("loss", self.loss, exact);
    column("gradient_norm", self.gradient_norm, exact);
    column("clipped_share", self.clipped_share, exact);
    column("mean_accuracy", self.mean_accuracy, score);
    column("mean_trial_accuracy", self.mean_trial_accuracy, score);
    column("mean_share_of_ceiling", self.mean_share_of_ceiling, score);
    column("worst_share_of_ceiling", self.worst_share_of_ceiling, score);
    column("tasks_passed", self.tasks_passed, CsvFormat{});
    column("tasks_solved", self.tasks_solved, CsvFormat{});
    column("wire", self.wire, exact);
  }
};

/// A row of tasks.csv: one task at one evaluation.
struct TaskRow {
  std::int64_t step = 0;
  std::string task;
  std::uint64_t trials = 0;
  double decision_accuracy = 0, decision_lower = 0, decision_ceiling = 0, share_of_ceiling = 0;
  double trial_accuracy = 0, trial_lower = 0, trial_ceiling = 0;
  bool passed = false, solved = false;

  static constexpr std::array<Renamed, 1> renamed_columns{{{"reached", "passed"}}};

  /// Like MetricsRow::columns.
  template <class Self, class Visitor>
  static void columns(Self& self, Visitor&& column) {
    constexpr CsvFormat score{.digits = 6, .fixed = true};
    column("step", self.step, CsvFormat{});
    column("task", self.task, CsvFormat{});
    column("trials", self.trials, CsvFormat{});
    column("decision_accuracy", self.decision_accuracy, score);
    column("decision_lower", self.decision_lower, score);
    column("decision_ceiling", self.decision_ceiling, score);
    column("share_of_ceiling", self.share_of_ceiling, score);
    column("trial_accuracy", self.trial_accuracy, score);
    column("trial_lower", self.trial_lower, score);
    column("trial_ceiling", self.trial_ceiling, score);
    column("passed", self.passed, CsvFormat{});
    column("solved", self.solved, CsvFormat{});
  }
};

/// The complete rows of metrics.csv of a run; none if the file does not exist yet. Throws
/// UsageError, with the line, for a column that is missing or damaged.
std::vector<MetricsRow> read_metrics(const std::filesystem::path& run);

/// The same of tasks.csv, all evaluations whose row is in metrics.csv: it is written after those of
/// the tasks, so without it the evaluation is not over. Throws UsageError, too, if tasks.csv lacks
/// some of the rows, because it was cut.
std::vector<TaskRow> read_task_rows(const std::filesystem::path& run);

/// The rows of the last evaluation alone; none before the first.
std::vector<TaskRow> last_task_rows(const std::filesystem::path& run);

}  // namespace lmrnn
